"""The workflow as a person runs it: dry, whole, again, and with mistakes."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
import zarr

from mid_core.checkpoint import load_model
from mid_core.images import to_float
from mid_core.inference import residual
from mid_core.masking import image_seed
from mid_core.sampling import Masking
from mid_core.store import Store
from tests.conftest import ROOT, TINY

CONFIG = {
    "dataset": "tiny",
    "pools": {
        "clean": {"reader": "folders", "path": "clean"},
        "noisy": {
            "reader": "folders",
            "path": "pairs",
            "pattern": "noisy_*.png",
            "truth": {"path": "pairs", "pattern": "clean_*.png"},
        },
    },
    "tests": ["noisy"],
    "method": {
        "awgn": {"count": 3, "size": 17},
        "network": TINY,
        "training": {"iterations": 4, "batch": 2, "patch": 16, "learning_rate": 1e-3},
        "extraction": {"masks": 2},
        "rounds": [{"mask_ratio": 0.8}, {"mask_ratio": 0.3}],
        "evaluation": {"masks": [1, 2]},
        # Four steps find no noise: the gate would stop their banks.
        "gate": {"mean": 255, "std": [0, 255], "leakage": 1, "kurtosis": 999},
    },
    "variants": {
        "mid": {},
        "no_mask": {"rounds": [{"mask_ratio": 0}]},
        "true_noise": {"first_bank": "true_noise", "rounds": [{"mask_ratio": 0}]},
    },
    "figures": {"crops": 1, "crop_px": 16},
    "runtime": {"device": "cpu", "threads": 1},
}


def snakemake(folder: Path, config: dict, *arguments: str, python: tuple = ()):
    """Run Snakemake in ``folder`` on ``config``; return what it did and said."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, *python, "-m", "snakemake", "--cores", "2"]
    command += ["--snakefile", str(ROOT / "workflow/Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def jobs_of(run) -> dict[str, int]:
    """Read the table of jobs that a dry run prints."""
    assert run.returncode == 0, run.stdout + run.stderr
    output = run.stdout + run.stderr
    if "Nothing to be done" in output:
        return {}
    table = output[output.index("Job stats:") :]
    found = re.findall(r"^(\w+)\s+(\d+)$", table, re.MULTILINE)
    return {name: int(count) for name, count in found if name != "total"}


def changed(**method) -> dict:
    """The tiny config with another method."""
    return CONFIG | {"method": CONFIG["method"] | method}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A whole two-round run, from an empty folder with images of odd sizes."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(3)
    for part in ("clean", "pairs"):
        (folder / part).mkdir()
    for i, (height, width) in enumerate([(41, 35), (27, 58)]):
        light = np.linspace(30, 220, width)[None, :, None]
        clean = np.broadcast_to(light, (height, width, 3))
        noisy = clean + rng.normal(0, 20, clean.shape)
        for name, image in (
            (f"clean/photo {i}.jpg", clean[::-1]),
            (f"pairs/clean_{i}.png", clean),
            (f"pairs/noisy_{i}.png", noisy),
        ):
            iio.imwrite(folder / name, np.clip(image, 0, 255).astype(np.uint8))
    run = snakemake(folder, CONFIG)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.mark.slow
def test_a_run_makes_models_tables_figures(finished):
    results = finished / "results/tiny"
    table = pd.read_csv(results / "tables/rounds.csv")
    for protocol in ("sidd-matlab3d", "gauss2d"):
        part = table[table["protocol"] == protocol]
        expected = ["noisy", *["mid"] * 4, "no_mask", "true_noise"]
        assert list(part["variant"]) == expected
        assert list(part["k"]) == [0, 1, 2, 1, 2, 1, 1]
    assert table["n_images"].eq(2).all()
    assert table["dataset"].eq("pairs").all()
    assert table["split"].eq("noisy_*.png, 2 images").all()
    assert table["psnr_db"].between(5, 60).all()
    assert "noisy input" in (results / "tables/rounds.md").read_text()
    for name in ("noise", "training", "rounds", "crops"):
        assert iio.imread(results / f"figures/{name}.png").size > 10_000
        assert (results / f"figures/{name}.pdf").stat().st_size > 1000
    for kind in ("logs", "benchmarks"):
        rules = {path.name for path in (results / kind).glob("*/")}
        assert {"index_pool", "ingest", "train_round", "extract_noise"} <= rules
    log = (results / "logs/train_round/mid_1.log").read_text()
    assert re.search(r"step 4 of 4, loss \d\.\d+, [\d.]+ steps/s, 0 s left", log)
    history = pd.read_csv(results / "mid/round_1/history.csv")
    assert list(history["step"]) == [4]


@pytest.mark.slow
def test_the_bank_of_a_round_is_what_the_last_network_left(finished):
    results = finished / "results/tiny"
    bank = Store(results / "mid/round_1/noise.zarr")
    network, _ = load_model(
        results / "mid/round_0/model.safetensors", torch.device("cpu")
    )
    noisy = Store(results / "data/noisy/image.zarr")
    # The second image first: neither order nor neighbours matter.
    for i in (1, 0):
        y, name = to_float(noisy.read(i)), noisy.names[i]
        seed = image_seed(0, "extract/1", name)
        expected = residual(network, y, Masking(0.8), seed, masks=2)
        np.testing.assert_array_equal(bank.read(i), expected)
    card = json.loads((results / "mid/round_0/model.json").read_text())
    assert bank.attributes["model"] == card["sha256"]
    group = zarr.open(results / "mid/round_1/noise.zarr", mode="r")
    assert group["noise"].dtype == np.float16


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
def test_pools_that_do_not_fit_stop_before_training(finished, tmp_path):
    for part in ("clean", "pairs"):
        shutil.copytree(finished / part, tmp_path / part)
    training = CONFIG["method"]["training"] | {"patch": 32}
    run = snakemake(tmp_path, changed(training=training, awgn={"size": 40, "count": 2}))
    said = run.stdout + run.stderr
    assert run.returncode == 1
    assert re.search(r"pool '\w+': '.*' is 58x27 pixels, but 32", said)
    assert not list(tmp_path.glob("results/tiny/*/round_*/model.json"))


def test_the_command_line_overrides_single_keys(tmp_path):
    override = 'method={"seed": 7, "training": {"learning_rate": 1e-4}}'
    run = snakemake(tmp_path, CONFIG, "--dry-run", "--config", override)
    assert jobs_of(run)["train_round"] == 4
    assert "seed_7/noise.seal.json" in run.stdout + run.stderr


@pytest.mark.slow
def test_a_model_denoises_and_a_bank_is_inspected(finished):
    mid = [sys.executable, "-c", "from mid_core.cli import main; main()"]
    results = finished / "results/tiny"
    model = results / "mid/round_1/model.safetensors"
    command = [*mid, "denoise", finished / "pairs", finished / "out", "--model", model]
    subprocess.run(command, check=True, capture_output=True)
    for file in (finished / "pairs").glob("*.png"):
        before, after = (iio.imread(p) for p in (file, finished / "out" / file.name))
        assert after.shape == before.shape
        assert after.dtype == before.dtype
        assert (after != before).any()
    command = [*mid, "inspect", results / "mid/round_1/noise.zarr"]
    command += ["--figure", finished / "noise.png"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for text in ("extract_noise", "ratio: 0.8", "std by colour", "2 of float16"):
        assert text in said
    assert iio.imread(finished / "noise.png").size > 10_000


def test_a_dry_run_of_many_variants_is_light(tmp_path):
    rounds = [{"mask_ratio": 0.8}] + 3 * [{"mask_ratio": 0.7}]
    variants = {f"v{i}": {"seed": i, "rounds": rounds} for i in range(20)}
    config = CONFIG | {"variants": variants}
    run = snakemake(tmp_path, config, "--dry-run", python=("-X", "importtime"))
    assert jobs_of(run)["train_round"] == 80
    imported = re.findall(r"import time:.*\|\s*([\w.]+)$", run.stderr, re.MULTILINE)
    assert "mid_config.plan" in imported
    heavy = {name.split(".")[0] for name in imported} & {"torch", "mid_core", "zarr"}
    assert not heavy


def test_a_bad_config_stops_before_anything_runs(tmp_path):
    config = changed(training=CONFIG["method"]["training"] | {"pach": 3})
    run = snakemake(tmp_path, config)
    assert run.returncode == 1
    said = run.stdout + run.stderr
    assert "'method.training.pach' is not a known key; did you mean 'patch'?" in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()


def test_missing_images_are_a_sentence(tmp_path):
    run = snakemake(tmp_path, CONFIG)
    said = run.stdout + run.stderr
    assert run.returncode == 1
    for folder in ("clean", "pairs"):
        assert f"- {folder} is no folder: correct the path" in said
    assert "not ready:\n  see clean\n  see noisy" in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("name", ["config", "sidd", "folders", "real_noise"])
def test_every_shipped_config_has_a_graph(name, tmp_path):
    config = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    jobs = jobs_of(snakemake(tmp_path, config, "--dry-run"))
    rounds = {"config": 4, "sidd": 5, "folders": 2, "real_noise": 8}
    assert jobs["train_round"] == rounds[name]
