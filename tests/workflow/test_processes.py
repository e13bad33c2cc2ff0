"""Stages that several processes share."""

import copy
import shutil

import pytest

from tests.running import CONFIG, jobs_of, snakemake

pytestmark = pytest.mark.slow
BANK = "results/tiny/mid/round_1/noise.manifest.json"


def test_processes_that_share_an_extraction_draw_the_same_bank(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    config = copy.deepcopy(CONFIG)
    config["method"]["extraction"]["gpus"] = 3
    # Over how many it is spread is no reason to draw it again.
    assert jobs_of(snakemake(folder, config, "-n")) == {}
    (folder / BANK).unlink()
    shutil.rmtree(folder / "results/tiny/mid/round_1/noise.zarr")
    run = snakemake(folder, config, "--", BANK)
    assert run.returncode == 0, run.stdout + run.stderr
    log = folder / "results/tiny/logs/extract_noise/mid_1.log"
    assert "noise for mid, round 1 on 3 x cpu" in log.read_text()
    assert (folder / BANK).read_bytes() == (finished / BANK).read_bytes()
