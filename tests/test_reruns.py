"""What runs again after a change, and what does not."""

import os
import shutil

import numpy as np
import pytest
import yaml

from tests.conftest import ROOT
from tests.running import CONFIG, changed, jobs_of, snakemake

METHOD = CONFIG["method"]
ROUNDS = METHOD["rounds"]
# Every model and what follows from them; with a new patch, the pools are looked at too.
ALL = {"train_round": 4, "extract_noise": 1, "evaluate": 4}
BANK = {"extract_noise": 1, "train_round": 1, "evaluate": 1}
PICTURES = {"plot_noise", "plot_crops", "plot_training", "plot_rounds", "lineage"}


def training(**settings):
    return changed(training=METHOD["training"] | settings)


def rounds(first=None, second=None):
    return changed(rounds=[ROUNDS[0] | (first or {}), ROUNDS[1] | (second or {})])


# Each key of the config: what it was changed to, and the jobs that depend on it.
MATRIX = {
    "seed": (changed(seed=1), ALL | {"awgn_bank": 1}),
    "awgn": (
        changed(awgn=METHOD["awgn"] | {"sigma": [5, 40]}),
        {"awgn_bank": 1, "train_round": 3, "extract_noise": 1, "evaluate": 3},
    ),
    "mask.per": (changed(mask={"per": "colour"}), ALL),
    "mask.fill": (changed(mask={"fill": 0.5}), ALL),
    "mask.as_input": (changed(mask={"as_input": True}), ALL),
    "clip": (changed(clip=True), ALL),
    "network": (changed(network=METHOD["network"] | {"width": 4}), ALL),
    "iterations": (training(iterations=5), ALL),
    "batch": (training(batch=3), ALL),
    "patch": (training(patch=17), ALL | {"check_pools": 1}),
    "learning_rate": (training(learning_rate=2e-3), ALL),
    "final_learning_rate": (training(final_learning_rate=1e-5), ALL),
    "gradient_clip": (training(gradient_clip=0.5), ALL),
    "ema": (training(ema=0.5), ALL),
    "precision": (training(precision="bf16"), ALL),
    "loss": (training(loss="charbonnier"), ALL),
    "how it is spread": (training(gpus=2, accumulate=1), {}),
    "extraction": (changed(extraction={"masks": 3}), BANK),
    "round 0's ratio": (
        rounds({"mask_ratio": 0.7}),
        {"train_round": 2, "extract_noise": 1, "evaluate": 2},
    ),
    "round 1's ratio": (
        rounds(None, {"mask_ratio": 0.4}),
        {"train_round": 1, "evaluate": 1},
    ),
    "round 1's training": (
        rounds(None, {"training": {"batch": 1}}),
        {"train_round": 1, "evaluate": 1},
    ),
    "round 1's extraction": (rounds(None, {"extraction": {"masks": 1}}), BANK),
    "evaluation.masks": (changed(evaluation={"masks": [1, 3]}), {"evaluate": 2}),
    "evaluation.mask_ratio": (
        changed(evaluation={"masks": [1, 2], "mask_ratio": 0.2}),
        {"evaluate": 4},
    ),
    "evaluation.protocols": (
        changed(evaluation={"masks": [1, 2], "protocols": ["skimage"]}),
        {"evaluate": 4},
    ),
    "gate": (changed(gate=METHOD["gate"] | {"mean": 99}), {}),
    "tables": (CONFIG | {"tables": {"rounds": ["mid", "no_mask"]}}, {}),
    "figures": (CONFIG | {"figures": {"crops": 2, "crop_px": 20}}, {}),
    "runtime": (
        CONFIG
        | {
            "runtime": {
                "device": "cpu",
                "threads": 2,
                "tile": 256,
                "memory_gb": 1,
                "report_every": 7,
                "save_minutes": 1,
                "max_seconds": 999,
            }
        },
        {},
    ),
    "a pool's crop": (
        CONFIG
        | {
            "pools": CONFIG["pools"]
            | {"clean": CONFIG["pools"]["clean"] | {"crop": 20}}
        },
        ALL | {"index_pool": 1, "ingest": 1, "check_pools": 1},
    ),
    "a variant's seed": (
        CONFIG
        | {
            "variants": CONFIG["variants"]
            | {"no_mask": {"seed": 4, "rounds": [{"mask_ratio": 0}]}}
        },
        {"awgn_bank": 1, "train_round": 1, "evaluate": 1},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("key", MATRIX)
def test_a_changed_key_runs_what_depends_on_it_and_nothing_else(key, finished):
    config, expected = MATRIX[key]
    jobs = jobs_of(snakemake(finished, config, "--dry-run"))
    drawn = PICTURES | {"tabulate_rounds", "all"}
    assert {name: n for name, n in jobs.items() if name not in drawn} == expected
    if key in ("runtime", "gate"):
        assert jobs == {}
    if key in ("figures", "tables"):
        assert jobs


@pytest.mark.slow
def test_what_runs_again_and_what_does_not(finished):
    def stale(config):
        return jobs_of(snakemake(finished, config, "--dry-run"))

    assert stale(CONFIG) == {}
    runtime = {"device": "cpu", "threads": 2, "tile": 256, "report_every": 7}
    assert stale(CONFIG | {"runtime": runtime}) == {}
    drawn = {"tabulate_rounds": 1, "plot_rounds": 1, "plot_training": 1}
    drawn |= {"lineage": 1, "all": 1}
    # Round 1's ratio: its training and what evaluates it; not its noise.
    rounds = [{"mask_ratio": 0.8}, {"mask_ratio": 0.4}]
    assert stale(changed(rounds=rounds)) == drawn | {
        "train_round": 1,
        "evaluate": 1,
        "plot_crops": 1,
    }
    # A new variant: only its own round.
    variants = CONFIG["variants"] | {"half": {"rounds": [{"mask_ratio": 0.5}]}}
    assert stale(CONFIG | {"variants": variants}) == drawn | {
        "train_round": 1,
        "evaluate": 1,
    }
    # A larger patch: what trains on it, though the pools are looked at again.
    patch = CONFIG["method"]["training"] | {"patch": 17}
    assert stale(changed(training=patch)) == drawn | {
        "check_pools": 1,
        "train_round": 4,
        "extract_noise": 1,
        "evaluate": 4,
        "plot_crops": 1,
        "plot_noise": 1,
    }
    # Another number of masks an extraction: the bank and what follows.
    assert stale(changed(extraction={"masks": 3})) == drawn | {
        "extract_noise": 1,
        "train_round": 1,
        "evaluate": 1,
        "plot_crops": 1,
        "plot_noise": 1,
    }


@pytest.mark.slow
def test_a_ceiling_or_a_test_that_is_added_trains_nothing_else(finished):
    config = CONFIG | {"variants": {"mid": {}}, "tests": []}
    folder = finished.with_name("without")
    for part in ("clean", "pairs"):
        shutil.copytree(finished / part, folder / part)
    run = snakemake(folder, config)
    assert run.returncode == 0, run.stdout + run.stderr
    jobs = jobs_of(snakemake(folder, CONFIG | {"variants": {"mid": {}}}, "--dry-run"))
    assert not {"train_round", "extract_noise"} & set(jobs)
    assert (jobs["index_pool"], jobs["ingest"], jobs["evaluate"]) == (1, 1, 2)
    ceiling = {"mid": {}, "true_noise": CONFIG["variants"]["true_noise"]}
    jobs = jobs_of(snakemake(folder, config | {"variants": ceiling}, "--dry-run"))
    assert (jobs["train_round"], jobs["true_noise"]) == (1, 1)
    assert "extract_noise" not in jobs


@pytest.mark.slow
def test_a_replaced_image_is_ingested_whatever_happened_in_between(finished, tmp_path):
    for part in ("clean", "pairs"):
        shutil.copytree(finished / part, tmp_path / part)
    goal = "results/tiny/data/clean/image.seal.json"
    assert snakemake(tmp_path, CONFIG, "--", goal).returncode == 0
    photo = tmp_path / "clean/photo 0.jpg"
    shutil.copy(tmp_path / "clean/photo 1.jpg", photo)
    listed = "results/tiny/data/clean/image.files.json"
    assert snakemake(tmp_path, CONFIG, "--", listed).returncode == 0
    assert jobs_of(snakemake(tmp_path, CONFIG, "--dry-run", "--", goal)) == {
        "ingest": 1
    }


@pytest.mark.slow
def test_a_long_list_of_files_that_is_touched_runs_nothing_again(finished, tmp_path):
    for part in ("clean", "pairs"):
        shutil.copytree(finished / part, tmp_path / part)
    listed = tmp_path / "results/tiny/data/clean/image.files.json"
    goal = "results/tiny/data/clean/image.seal.json"
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
    image = finished / "clean/photo 0.jpg"
    content = image.read_bytes()
    image.write_bytes(content + b"more")
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
    for part in ("workflow", "mid_config"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / "mid_core").mkdir()
    versions = yaml.safe_load((ROOT / "mid_core/stage_versions.yaml").read_text())
    versions["extract_noise"] += 1
    (tmp_path / "mid_core/stage_versions.yaml").write_text(yaml.safe_dump(versions))
    snakefile = ("--snakefile", str(tmp_path / "workflow/Snakefile"))
    jobs = jobs_of(snakemake(finished, CONFIG, "--dry-run", *snakefile))
    assert jobs["extract_noise"] == jobs["train_round"] == jobs["evaluate"] == 1
    assert not {"ingest", "awgn_bank", "true_noise", "check_pools"} & set(jobs)


@pytest.mark.slow
def test_skewed_clocks_and_touched_files_run_nothing_again(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    chance = np.random.default_rng(0)
    files = sorted(path for path in folder.rglob("*") if ".snakemake" not in path.parts)
    for path in files:
        # Ten minutes to either side, as clocks of a cluster may differ.
        then = path.stat().st_mtime + chance.uniform(-600, 600)
        os.utime(path, (then, then))
    assert jobs_of(snakemake(folder, CONFIG, "--dry-run")) == {}
    for path in files:
        path.touch()
    assert jobs_of(snakemake(folder, CONFIG, "--dry-run")) == {}
