"""Stages that several processes share."""

import copy
import shutil

import pytest

from tests.running import CONFIG, jobs_of, snakemake

pytestmark = pytest.mark.slow
BANK = "results/tiny/mid/round_1/noise.manifest.json"


def test_processes_that_share_an_extraction_draw_the_same_bank(finished, copied):
    config = copy.deepcopy(CONFIG)
    config["method"]["extraction"]["gpus"] = 3
    # Over how many it is spread is no reason to draw it again.
    assert jobs_of(snakemake(copied, config, "-n")) == {}
    (copied / BANK).unlink()
    shutil.rmtree(copied / "results/tiny/mid/round_1/noise.zarr")
    run = snakemake(copied, config, "--", BANK)
    assert run.returncode == 0, run.stdout + run.stderr
    log = copied / "results/tiny/logs/extract_noise/mid_1.log"
    assert "noise for mid, round 1 on 3 x cpu" in log.read_text()
    assert (copied / BANK).read_bytes() == (finished / BANK).read_bytes()
