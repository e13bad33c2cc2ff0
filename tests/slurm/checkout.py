"""A checkout of the repository, and Snakemake in it as a person would call it."""

import hashlib
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.running import changed, draw_images
from tests.slurm.cluster import Cluster

COMMAND = ("snakemake", "--cores", "8", "--profile", "slurm")
# For tests that wait: the profile's pace is meant for days.
QUICK = ("--seconds-between-status-checks", "3")
QUICK += ("--slurm-init-seconds-before-status-checks", "3")

# Seconds after which a run will not end any more.
PATIENCE = 600

# Trainings of some seconds, each saved after half a one.
TWO_VARIANTS = changed(training={"iterations": 500, "batch_size": 2, "patch_size": 16})
TWO_VARIANTS["runtime"] = TWO_VARIANTS["runtime"] | {"save_minutes": 0.01}
TWO_VARIANTS["variants"] = {
    "mid": {},
    "no_mask": {"rounds": [{"mask_ratio": 0}]},
}


class Checkout:
    """A folder with the repository in it, and the cluster whose login node it is on.

    Parameters
    ----------
    folder
        Holds the repository.
    cluster
        Runs.
    """

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder, self.cluster = folder, cluster
        self.home = folder.parent / "home"
        self.home.mkdir(exist_ok=True)
        self.results = folder / "results/tiny"

    def configure(self, config: dict) -> None:
        """Replace the config."""
        text = yaml.safe_dump(config, sort_keys=False)
        (self.folder / "config/config.yaml").write_text(text)

    def draw_images(self) -> None:
        """Write the images of the config's pools."""
        draw_images(self.folder)

    def copy(self, folder: Path) -> "Checkout":
        """A copy of all that is here, results too."""
        return Checkout(shutil.copytree(self.folder, folder / "mid"), self.cluster)

    @contextmanager
    def started(self, *command: str):
        """A command that runs here; what it says is in ``said``."""
        own = {"HOME": str(self.home), "PYTHONPATH": str(self.folder)}
        own |= {"OMP_NUM_THREADS": "1"}
        # Whoever started the tests may ignore Ctrl-C; what is started here must not.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with (self.folder.parent / "said.txt").open("ab") as said:
            run = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.cluster.environment | own,
                stdout=said,
                stderr=said,
            )
        try:
            yield run
        finally:
            run.kill()
            run.wait()

    def run(self, *command: str) -> None:
        """Run a command here to its end, which must be good."""
        with self.started(*command) as run:
            assert run.wait(PATIENCE) == 0, self.said

    @property
    def said(self) -> str:
        """What all commands said so far."""
        return (self.folder.parent / "said.txt").read_text()

    def jobs(self, rule: str = "", variant: str = "") -> list[dict[str, str]]:
        """The SLURM jobs of this checkout, oldest first: all, a rule's, a round 0's.

        A lot goes by its own name instead of its rule's.
        """
        own = [
            job
            for _, job in sorted(self.cluster.jobs().items())
            if job["WorkDir"] == os.fspath(self.folder)
        ]
        # The plugin notes there what a job is for.
        name = f"rule_{rule}"
        name += f"_wildcards_tiny_{variant}_0" if variant else ""
        return [job for job in own if job["Comment"].startswith(name)]

    def digests(self, variant: str) -> dict[str, str]:
        """Hashes of what the training of round 0 wrote."""
        files = [
            self.results / variant / "round_0" / name
            for name in ("model.safetensors", "history.csv")
        ]
        return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
