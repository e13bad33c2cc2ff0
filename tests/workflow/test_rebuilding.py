"""What was damaged or lost after it was made: only that is made again, the same."""

import re
import shutil

import pytest

from mid_core.errors import MidError
from mid_core.store import Store, manifest_path
from tests.running import CONFIG, jobs_of, snakemake

ROUND = "results/tiny/mid/round_1"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    """A copy of a run that is done, for this file alone."""
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(finished, folder, dirs_exist_ok=True)
    return folder


def test_a_damaged_store_says_the_command_that_mends_it(run, monkeypatch):
    monkeypatch.chdir(run)
    path = run / ROUND / "noise.zarr"
    sealed, shard = manifest_path(path).read_bytes(), path / "noise/c/0/0/0/0"
    whole = bytearray(shard.read_bytes())
    shard.write_bytes(whole[:50] + bytes([whole[50] ^ 4]) + whole[51:])
    with pytest.raises(MidError, match="its rule extract_noise rebuilds it") as refused:
        list(Store(path))
    # The run's folder is no clone: the command says where the workflow is.
    command = r"`rm -f (\S+) && snakemake --snakefile \S+ --cores 2 -- (\S+)`"
    removed, target = re.search(command, str(refused.value)).groups()
    assert removed == target == f"{ROUND}/noise.manifest.json"
    (run / removed).unlink()
    assert jobs_of(snakemake(run, CONFIG, "--dry-run", "--", target)) == {
        "extract_noise": 1
    }
    done = snakemake(run, CONFIG, "--", target)
    assert done.returncode == 0, done.stdout + done.stderr
    assert manifest_path(path).read_bytes() == sealed
    assert shard.read_bytes() == whole
    assert jobs_of(snakemake(run, CONFIG, "--dry-run")) == {}


def test_a_training_that_snakemake_does_again_is_not_trained_again(run):
    goal = "results/tiny/mid/round_0/model.json"
    folder, log = (run / goal).parent, run / "results/tiny/logs/train_round/mid_0.log"
    names = ("model.safetensors", "history.csv", "model.json")
    made = [(folder / name).read_bytes() for name in names]
    for name in names:
        (folder / name).unlink()
    done = snakemake(run, CONFIG, "--forcerun", "train_round", "--", goal)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing is trained" in log.read_text()
    assert "step 4 of 4" not in log.read_text()
    assert [(folder / name).read_bytes() for name in names] == made
    assert jobs_of(snakemake(run, CONFIG, "--dry-run")) == {}
