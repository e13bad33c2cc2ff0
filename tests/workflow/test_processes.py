"""Stages that several processes share."""

import copy
import re
import shutil

import pytest

from tests.running import CONFIG, changed, draw_images, jobs_of, snakemake

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


@pytest.mark.parametrize(
    ("visible", "arguments", "asked"),
    [
        (
            "3,5",
            (),
            {"train_round": 1, "extract_noise": 2, "evaluate": 1, "plot_crops": 1},
        ),
        (
            "",
            (),
            {"train_round": 1, "extract_noise": 3, "evaluate": 0, "plot_crops": 0},
        ),
        # On a cluster, the GPUs of this machine are no matter.
        (
            "3,5",
            ("--executor", "slurm", "--jobs", "9"),
            {"extract_noise": 3, "evaluate": 0},
        ),
    ],
)
def test_jobs_on_one_machine_share_out_its_gpus(
    visible, arguments, asked, tmp_path, monkeypatch
):
    draw_images(tmp_path)
    config = changed(extraction={"num_masks": 2, "gpus": 3})
    config["runtime"] = config["runtime"] | {"device": "auto"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    dry = snakemake(tmp_path, config, "--dry-run", *arguments)
    found = re.findall(
        r"^(?:local)?rule (\w+):(?:\n    .*)*?gpu=(\d+)", dry.stdout, re.MULTILINE
    )
    assert {rule: int(gpus) for rule, gpus in found if rule in asked} == asked
