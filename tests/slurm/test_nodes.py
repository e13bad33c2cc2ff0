"""One training on the GPUs of two nodes, in one job."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from safetensors.numpy import load_file

from tests.running import changed
from tests.runtime.test_distributed import TOLERANCE, difference
from tests.slurm.checkout import COMMAND, QUICK, TWO_VARIANTS, Checkout
from tests.slurm.cluster import Cluster, what_is_missing

pytestmark = pytest.mark.exhaustive
MODEL = "results/tiny/mid/round_0/model.json"
NODES = ("n1", "n2")
WANTED = [f"train_round:{one}" for one in ("nodes=2", "gpu=0", "gres=gpu:1")]


@pytest.fixture
def two_nodes() -> Iterator[Cluster]:
    """A cluster of its own."""
    if missing := what_is_missing():
        pytest.skip(missing)
    name = TemporaryDirectory(prefix="mid_slurm_")
    with name as folder, Cluster(Path(folder), NODES) as it:
        yield it


def configure(checkout: Checkout, gpus: int) -> None:
    training = TWO_VARIANTS["method"]["training"] | {"iterations": 40, "gpus": gpus}
    checkout.configure(TWO_VARIANTS | {"method": changed(training=training)["method"]})


def test_two_nodes_train_what_one_process_does(frozen, two_nodes, tmp_path):
    checkout = Checkout(shutil.copytree(frozen, tmp_path / "mid"), two_nodes)
    checkout.draw_images()
    weights = checkout.results / "mid/round_0/model.safetensors"
    configure(checkout, gpus=1)
    checkout.run("snakemake", "--cores", "2", "--", MODEL)
    alone = load_file(weights)
    shutil.rmtree(weights.parent)
    configure(checkout, gpus=2)
    checkout.run(*COMMAND, *QUICK, "--set-resources", *WANTED, "--", MODEL)
    (job,) = checkout.jobs("train_round")
    assert (job["NumNodes"], job["TresPerNode"]) == ("2", "gres:gpu:1")
    log = (checkout.results / "logs/train_round/mid_0.log").read_text()
    assert "round 0 on 2 x cpu" in log
    # n1 also ran the step from which the others were started.
    launched = [
        (two_nodes.folder / f"{node}.log").read_text().count("launch task")
        for node in NODES
    ]
    assert launched == [2, 1]
    assert difference(load_file(weights), alone) < TOLERANCE
