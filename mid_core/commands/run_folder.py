"""The workflow on one person's photos: a config of its own, a run, and the answers."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mid_config.loading import load_config
from mid_core.commands.denoise_files import denoise_files
from mid_core.commands.last_model import RECORD
from mid_core.commands.run_progress import Work, progress, works
from mid_core.errors import MidError
from mid_core.evaluation.look_report import Sight, image_files, look_at, summary
from mid_core.figures.look import look_figure
from mid_core.figures.style import draw
from mid_core.jobs.recovery import is_locked, recover
from mid_core.networks import build
from mid_core.planning.step_trial import STEP_PASSES, pass_seconds
from mid_core.runtime.devices import pick_device
from mid_core.runtime.files import replacing
from mid_core.runtime.shipped import profile, shipped, the_snakefile
from mid_core.trainer import Training

DATASET, CONFIG, BASE = "photos", "config.yaml", "config/folders.yaml"
PAIRS = "pairs"
# Grey levels of 255: clean photos show up to two (Kodak's 1.9, SIDD's truths 1.8),
# the mildest noisy ones three (PolyU's 2.9).
LITTLE_NOISE = 2.0
# Steps of the second training for each of the first, and of a trial; how many trials.
TAUGHT, TRIAL, TRIALS = 4, 1 / 6, 3
# Of the time, the rest is for all but training.
FOR_TRAINING = 0.85
FEWEST_STEPS = 20
POLL_S = 2.0


@dataclass(frozen=True)
class Request:
    """What a person asks of ``mid run``; see ``commands.run``."""

    noisy: Path
    out: Path
    clean: Path | None = None
    pairs: tuple[Path, Path] | None = None
    minutes: float = 15
    cores: int | None = None
    device: str = "auto"
    profile: str | None = None
    dry_run: bool = False
    force: bool = False

    @property
    def folder(self) -> Path:
        """Where the run itself lies: its config, its results, its log."""
        return self.out / "mid"

    @property
    def threads(self) -> int:
        """CPU threads of each job; a cluster's are not those of this machine."""
        return self.cores or (1 if self.profile else os.cpu_count() or 1)

    @property
    def results(self) -> Path:
        """What the workflow makes."""
        return self.folder / "results" / DATASET


def run_folder(request: Request) -> None:
    """Train on a person's noisy images, and denoise them.

    A second call with new images denoises those with the model that is there.

    Raises
    ------
    MidError
        If images or the workflow are missing, there is hardly any noise, or the run
        fails.
    """
    files = image_files(request.noisy)
    if not (request.results / RECORD).is_file():
        _refuse_taken(request, files)
        _look(request, files)
        is_new = _write_config(request, shipped() / BASE)
        _run_snakemake(request)
        if request.dry_run and is_new:
            (request.folder / CONFIG).unlink()
    else:
        print(
            f"{request.out} has a trained model, which denoises what is new; to train "
            "again, for longer or with other images, give another output folder"
        )
    if not request.dry_run:
        _denoise(request, files)


def _refuse_taken(request: Request, files: list[Path]) -> None:
    """Refuse an output folder with files of the images' names, such as the images'."""
    taken = [file.name for file in files if (request.out / file.name).exists()]
    if taken:
        raise MidError(
            f"{request.out} already has files named as your images ({taken[0]} and so "
            "on), which would be taken for answers: give another output folder"
        )


def _look(request: Request, files: list[Path]) -> None:
    """Say what the noise is like; stop where there is hardly any."""
    sights, refused = look_at(files)
    print(summary(sights))
    print(f"  more: {request.out / 'noise.png'}, and `mid inspect {request.noisy}`")
    for sentence in refused:
        print(f"left out: {sentence}")
    if len(sights) > 1:
        raise MidError(
            f"{request.noisy} has grey images and such in colour: give each kind a run "
            "of its own"
        )
    request.folder.mkdir(parents=True, exist_ok=True)
    with replacing(request.out / "noise.png", ".png") as part:
        draw(look_figure, sights, to=[part])
    if (level := level_of(sights[0])) < LITTLE_NOISE and not request.force:
        raise MidError(
            f"these images show noise of {level:.1f} grey levels of 255, no more than "
            "clean photos do: to denoise them would take out detail; --force does it "
            "all the same"
        )


def level_of(sight: Sight) -> float:
    """Return the median level of the images' noise, in grey levels of 255."""
    levels = [one.mean_level for one in sight.camera.looks]
    return 255 * float(np.median(levels))


def steps_in(minutes: float, step_seconds: float) -> dict[str, int]:
    """Return the steps of each training that take so many minutes together.

    Parameters
    ----------
    minutes
        Of the whole run.
    step_seconds
        Of one step.

    Examples
    --------
    >>> steps_in(10, 0.02)
    {'first': 4636, 'taught': 18544, 'trial': 772}
    """
    steps = FOR_TRAINING * 60 * minutes / step_seconds
    first = max(FEWEST_STEPS, int(steps / (1 + TAUGHT + TRIALS * TRIAL)))
    trial = max(FEWEST_STEPS // 2, int(TRIAL * first))
    return {"first": first, "taught": TAUGHT * first, "trial": trial}


def _write_config(request: Request, base_config: Path) -> bool:
    """Write what this run changes of the base config; False: it is there."""
    path = request.folder / CONFIG
    if path.is_file():
        print(
            f"going on as {path} says, with its minutes and its clean images; to begin "
            f"anew, delete {request.folder}"
        )
        return False
    base = load_config([base_config], {})
    training = Training(**_own(base["method"]["training"]))
    step = _step_seconds(base["method"]["network"], training, request.device)
    steps = steps_in(request.minutes, step)
    clean = {"reader": "camera", "part": "clean", "shots": 3}
    if request.clean:
        clean = {"reader": "folders", "path": _folder(request.clean)}
    noisy = {"reader": "folders", "path": str(request.noisy.absolute())}
    if request.noisy.is_file():
        name = re.sub(r"([\[\]*?])", r"[\1]", request.noisy.name)
        noisy |= {"path": str(request.noisy.absolute().parent), "pattern": name}
    tests = _scored(request)
    changes: dict[str, Any] = {
        "dataset": DATASET,
        "pools": {"clean": clean, "noisy": noisy} | tests,
        "tests": list(tests),
        "method": {
            "training": {"iterations": steps["first"]},
            "taught": {"training": {"iterations": steps["taught"]}},
            "trials": {"iterations": steps["trial"]},
        },
        "compared": {"nlm": None, "bm3d": None},
        "runtime": {"device": request.device, "threads": request.threads},
    }
    content = yaml.safe_dump(changes, sort_keys=False)
    about = f"# Written by mid run: what differs from {base_config}.\n"
    with replacing(path, ".yaml") as part:
        part.write_text(about + content)
    print(
        f"training: {steps['first']} steps on noise like that, then {steps['taught']} "
        f"on what the first makes of your images; about {request.minutes:g} min"
        + (", as this machine trains" if request.profile else "")
    )
    return True


def _scored(request: Request) -> dict[str, dict[str, Any]]:
    """The pool that scores, if there are pairs."""
    if request.pairs is None:
        return {}
    noisy, clean = map(_folder, request.pairs)
    return {PAIRS: {"reader": "folders", "path": noisy, "truth": {"path": clean}}}


def _folder(path: Path) -> str:
    """Return where a folder of images is; refuse what is none."""
    if not path.is_dir():
        raise MidError(f"{path} is not a folder: give one that holds images")
    image_files(path)
    return str(path.absolute())


def _own(training: dict[str, Any]) -> dict[str, Any]:
    """Take the settings of a training itself."""
    return {k: v for k, v in training.items() if k in Training.__dataclass_fields__}


def _step_seconds(network: dict[str, Any], training: Training, device: str) -> float:
    where = pick_device(device, needed=device != "auto", wait=False)
    settings = replace(training, iterations=1)
    a_pixel = pass_seconds(build(network), settings, where)
    return STEP_PASSES * training.batch_size * training.patch_size**2 * a_pixel


def _run_snakemake(request: Request) -> None:
    """Run the workflow in the folder of the run, and tell how far it is."""
    configs = shipped() / BASE, request.folder.absolute() / CONFIG
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(the_snakefile())]
    command += ["--directory", str(request.folder)]
    command += ["--cores", str(request.cores or os.cpu_count())]
    command += ["--configfile", *map(str, configs)]
    command += ["--profile", profile(request.profile)] if request.profile else []
    command += ["--dry-run"] if request.dry_run else []
    if is_locked(request.folder):
        # Who still works there is named, and left alone.
        recover(request.folder)
        print("an earlier call was killed; its lock is removed")
    said = request.folder / "run.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [*command, "--", "all", "report"], stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _follow(process, _works(request))
        except BaseException:
            # Snakemake lets its jobs save what they have.
            process.terminate()
            process.wait()
            raise
    if request.dry_run and not process.returncode:
        print(_jobs_in(said.read_text()))
    if process.returncode:
        raise MidError(
            f"the run failed; what was finished is kept, and the same command goes on. "
            f"Why is in {said}; its last words:\n{_last_words(said)}"
        )


def _jobs_in(said: str) -> str:
    """The table of jobs that a dry run prints."""
    if "Job stats:" not in said:
        return "nothing is left to train"
    table = said[said.index("Job stats:") :]
    return table[: table.index("\n\n")]


def _works(request: Request) -> list[Work]:
    """The trainings of a run, as its config says."""
    method = yaml.safe_load((request.folder / CONFIG).read_text())["method"]
    steps = {
        "trial": method["trials"]["iterations"],
        "first": method["training"]["iterations"],
        "taught": method["taught"]["training"]["iterations"],
    }
    return works(request.results / "logs", steps, TRIALS)


def _follow(process: subprocess.Popen, planned: list[Work]) -> None:
    """Print the progress of the trainings, as their logs tell it."""
    shown = ""
    while process.poll() is None:
        time.sleep(POLL_S)
        line = progress(planned)
        if line and line != shown:
            print(line, flush=True)
            shown = line


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").strip().splitlines()[-12:])


def _denoise(request: Request, files: list[Path]) -> None:
    """Denoise the images that are not denoised yet, and say what to look at."""
    record = request.results / RECORD
    if record.is_file():
        model = request.folder / json.loads(record.read_text())["model"]
    else:
        # A run that was killed after its last job has written none.
        *_, model = sorted(request.results.glob("mid/round_*/model.safetensors"))
    new = [file for file in files if not (request.out / file.name).is_file()]
    print(f"{len(new)} of {len(files)} image(s) are to be denoised")
    if new:
        options = {"device": request.device, "skip_existing": True}
        denoise_files(request.noisy, request.out, model, **options)
    report = request.results / "report.html"
    if report.is_file():
        shutil.copyfile(report, request.out / "report.html")
        print(f"what was learnt of the noise: {request.out / 'report.html'}")
    print(
        f"the denoised images are in {request.out}. Too smooth? mid denoise {request.noisy} "
        f"ANOTHER_FOLDER --model {model} --strength 0.7. More minutes, or clean images "
        "of your own (--clean), make a better model: into another folder"
    )
