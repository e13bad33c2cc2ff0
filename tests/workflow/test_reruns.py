"""What runs again after a change, and what does not; keys one by one: test_every_key."""

import os
import shutil

import numpy as np
import pytest
import yaml

from tests.conftest import ROOT
from tests.running import CONFIG, changed, draw_images, jobs_of, snakemake


@pytest.mark.slow
def test_what_runs_again_and_what_does_not(finished):
    def stale(config):
        return jobs_of(snakemake(finished, config, "--dry-run"))

    runtime = {"device": "cpu", "threads": 2, "tile": 256, "report_every": 7}
    assert stale(CONFIG | {"runtime": runtime}) == {}
    drawn = {"tabulate_rounds": 1, "plot_rounds": 1, "plot_training": 1}
    drawn |= {"judge": 1, "lineage": 1, "all": 1}
    # Round 1's ratio: its training and what evaluates it; not its noise. A new variant:
    # its own round.
    rounds = [{"mask_ratio": 0.8}, {"mask_ratio": 0.4}]
    variants = CONFIG["variants"] | {"half": {"rounds": [{"mask_ratio": 0.5}]}}
    assert stale(changed(rounds=rounds) | {"variants": variants}) == drawn | {
        "train_round": 2,
        "evaluate": 2,
        "plot_crops": 1,
    }
    # A larger patch: what trains on it, though the pools are looked at again.
    patch = CONFIG["method"]["training"] | {"patch_size": 17}
    assert stale(changed(training=patch)) == drawn | {
        "check_pools": 1,
        "train_round": 4,
        "extract_noise": 1,
        "evaluate": 4,
        "plot_crops": 1,
        "plot_noise": 1,
    }
    # Another number of masks an extraction: the bank and what follows.
    assert stale(changed(extraction={"num_masks": 3})) == drawn | {
        "extract_noise": 1,
        "train_round": 1,
        "evaluate": 1,
        "plot_crops": 1,
        "plot_noise": 1,
    }


@pytest.mark.slow
def test_a_ceiling_or_a_test_that_is_added_trains_nothing_else(copied):
    config = CONFIG | {"variants": {"mid": {}}, "tests": []}
    # What a run of that alone leaves: no truth, no ceiling, no scores.
    results = copied / "results/tiny"
    for folder in (results / "true_noise", *results.glob("mid/*/scores")):
        shutil.rmtree(folder)
    for path in [
        *results.glob("data/noisy/truth*"),
        *results.glob("data/noisy/noise*"),
    ]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    jobs = jobs_of(snakemake(copied, CONFIG | {"variants": {"mid": {}}}, "--dry-run"))
    assert not {"train_round", "extract_noise"} & set(jobs)
    assert (jobs["index_pool"], jobs["ingest"], jobs["evaluate"]) == (1, 1, 2)
    ceiling = {"mid": {}, "true_noise": CONFIG["variants"]["true_noise"]}
    jobs = jobs_of(snakemake(copied, config | {"variants": ceiling}, "--dry-run"))
    assert (jobs["train_round"], jobs["true_noise"]) == (1, 1)
    assert "extract_noise" not in jobs


@pytest.mark.slow
def test_a_replaced_image_is_ingested_whatever_happened_in_between(copied):
    goal = "results/tiny/data/clean/image.manifest.json"
    photo = copied / "clean/photo 0.jpg"
    shutil.copy(copied / "clean/photo 1.jpg", photo)
    listed = "results/tiny/data/clean/image.files.json"
    assert snakemake(copied, CONFIG, "--", listed).returncode == 0
    assert jobs_of(snakemake(copied, CONFIG, "--dry-run", "--", goal)) == {"ingest": 1}


@pytest.mark.slow
def test_a_long_list_of_files_that_is_touched_runs_nothing_again(tmp_path):
    draw_images(tmp_path)
    listed = tmp_path / "results/tiny/data/clean/image.files.json"
    goal = "results/tiny/data/clean/image.manifest.json"
    list_them = str(listed.relative_to(tmp_path))
    assert snakemake(tmp_path, CONFIG, "--", list_them).returncode == 0
    # As long as a list of 50 000 images; Snakemake by itself looks into 1 MB at most.
    listed.write_text(listed.read_text() + 2_000_000 * " ")
    assert snakemake(tmp_path, CONFIG, "--", goal).returncode == 0
    listed.touch()
    assert jobs_of(snakemake(tmp_path, CONFIG, "--dry-run", "--", goal)) == {}


@pytest.mark.slow
def test_touched_images_run_nothing_again_and_changed_ones_do(finished):
    def stale():
        return jobs_of(snakemake(finished, CONFIG, "--dry-run"))

    for image in finished.glob("*/*.*"):
        if image.suffix in (".png", ".jpg"):
            image.touch()
    hidden = finished / "clean/.DS_Store"
    hidden.write_bytes(b"what file managers leave")
    assert stale() == {}
    # Of equal size: the content decides.
    image = finished / "clean/photo 0.jpg"
    content = image.read_bytes()
    image.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert {"index_pool", "ingest", "train_round"} <= set(stale())
    image.write_bytes(content)
    added = finished / "clean/photo 2.jpg"
    added.write_bytes(content)
    assert {"index_pool", "ingest", "train_round"} <= set(stale())
    added.unlink()
    hidden.unlink()
    assert stale() == {}


@pytest.mark.slow
def test_a_raised_stage_version_runs_the_stage_and_what_follows(finished, tmp_path):
    for part in ("workflow", "mid_config", "mid_core"):
        shutil.copytree(ROOT / part, tmp_path / part)
    versions = yaml.safe_load((ROOT / "mid_core/stage_versions.yaml").read_text())
    versions["extract_noise"] += 1
    (tmp_path / "mid_core/stage_versions.yaml").write_text(yaml.safe_dump(versions))
    snakefile = ("--snakefile", str(tmp_path / "workflow/Snakefile"))
    jobs = jobs_of(snakemake(finished, CONFIG, "--dry-run", *snakefile))
    assert jobs["extract_noise"] == jobs["train_round"] == jobs["evaluate"] == 1
    assert not {"ingest", "awgn_bank", "true_noise", "check_pools"} & set(jobs)


@pytest.mark.slow
def test_files_in_any_order_of_time_run_nothing_again(copied):
    chance = np.random.default_rng(0)
    files = sorted(path for path in copied.rglob("*") if ".snakemake" not in path.parts)
    for path in files:
        # Ten minutes to either side, as clocks of a cluster may differ.
        then = path.stat().st_mtime + chance.uniform(-600, 600)
        os.utime(path, (then, then))
    assert jobs_of(snakemake(copied, CONFIG, "--dry-run")) == {}
