"""The workflow as a person runs it: dry, whole, again, and with mistakes."""

import json
import re
import shutil
import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
import zarr

from mid_core.checkpoints.model_file import load_model
from mid_core.images.picture import to_float
from mid_core.masking import Masking, image_seed
from mid_core.noise import residual
from mid_core.store import Store
from tests.conftest import ROOT
from tests.running import CONFIG, changed, draw_images, jobs_of, snakemake


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
        expected = residual(network, y, Masking(0.8), seed, num_masks=2)
        np.testing.assert_array_equal(bank.read(i), expected)
    card = json.loads((results / "mid/round_0/model.json").read_text())
    assert bank.attributes["model"] == card["sha256"]
    group = zarr.open(results / "mid/round_1/noise.zarr", mode="r")
    assert group["noise"].dtype == np.float16


def test_images_smaller_than_a_crop_stop_a_run_at_its_start(tmp_path):
    draw_images(tmp_path)
    training = CONFIG["method"]["training"] | {"patch_size": 32}
    run = snakemake(tmp_path, changed(training=training, awgn={"size": 40, "count": 2}))
    assert run.returncode == 1
    said = run.stdout + run.stderr
    assert re.search(r"pool '\w+': '.*' is 58x27 pixels, but 32", said)
    assert not list(tmp_path.glob("results/tiny/data"))


@pytest.mark.slow
def test_a_copy_of_a_noisy_image_among_the_clean_ones_is_told(tmp_path):
    draw_images(tmp_path)
    noisy = sorted((tmp_path / "pairs").glob("noisy_*.png"))
    shutil.copy(noisy[0], tmp_path / "clean/copy.png")
    run = snakemake(tmp_path, CONFIG)
    assert run.returncode == 1
    said = run.stdout + run.stderr
    assert "pool 'noisy' shares 1 file(s) with the clean pool 'clean'" in said


def test_the_command_line_overrides_single_keys(tmp_path):
    override = 'method={"seed": 7, "training": {"learning_rate": 1e-4}}'
    run = snakemake(tmp_path, CONFIG, "--dry-run", "--config", override)
    assert jobs_of(run)["train_round"] == 4
    assert "seed_7/noise.manifest.json" in run.stdout + run.stderr


@pytest.mark.slow
def test_a_model_denoises_and_a_bank_is_inspected(finished):
    mid = [sys.executable, "-c", "from mid_core.commands.cli import main; main()"]
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
    for text in (
        "extract_noise",
        "mask_ratio: 0.8",
        "of 255, by colour",
        "noise (float16): 2 of ",
    ):
        assert text in said
    assert iio.imread(finished / "noise.png").size > 10_000


def imported_by(run) -> set[str]:
    """Modules that a run with ``-X importtime`` loaded, and their packages."""
    names = re.findall(r"import time:.*\|\s*([\w.]+)$", run.stderr, re.MULTILINE)
    return {*names, *(name.split(".")[0] for name in names)}


@pytest.mark.slow
def test_all_settings_are_kept_with_the_results(finished):
    saved = finished / "results/tiny/config.yaml"
    config = yaml.safe_load(saved.read_text())
    assert config["method"]["training"]["ema_decay"] == 0.999
    assert config["method"]["training"]["batch_size"] == 2
    assert config["runtime"]["tile"] is None
    assert config["runtime"]["memory_gb"] == 8
    # It is a config itself, of the same run.
    assert jobs_of(snakemake(finished, config, "--dry-run")) == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--unlock", "Unlocked working directory"),
        ("--summary", "results/tiny/tables/rounds.md"),
        ("--dag", "digraph snakemake_dag"),
        ("--rulegraph", "train_round"),
        ("--list-untracked", "clean/photo 0.jpg"),
        ("--list", "measure_cost"),
        ("--lint", "Congratulations"),
        ("--report report.zip", "Report created"),
        ("--touch --dry-run", "Nothing to be done"),
        ("--delete-all-output --dry-run", "Would delete results/tiny/tables/rounds.md"),
    ],
)
def test_snakemake_answers_without_cores(finished, arguments, said):
    run = snakemake(finished, CONFIG, *arguments.split(), cores=())
    assert run.returncode == 0, run.stderr
    assert said in run.stdout + run.stderr


def test_a_dry_run_of_many_variants_is_light(tmp_path):
    rounds = [{"mask_ratio": 0.8}] + 3 * [{"mask_ratio": 0.7}]
    variants = {f"v{i}": {"seed": i, "rounds": rounds} for i in range(20)}
    config = CONFIG | {"variants": variants}
    run = snakemake(tmp_path, config, "--dry-run", python=("-X", "importtime"))
    assert jobs_of(run)["train_round"] == 80
    assert "mid_config.plan" in imported_by(run)
    assert not {"torch", "mid_core", "zarr"} & imported_by(run)


def test_a_bad_config_stops_before_anything_runs(tmp_path):
    config = changed(training=CONFIG["method"]["training"] | {"pach": 3})
    run = snakemake(tmp_path, config, python=("-X", "importtime"))
    assert run.returncode == 1
    # What takes seconds is not even loaded.
    assert "mid_config.loading" in imported_by(run)
    assert not {"torch", "mid_core", "zarr"} & imported_by(run)
    said = run.stdout + run.stderr
    assert (
        "'method.training.pach' is not a known key; did you mean 'patch_size'?" in said
    )
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
    rounds = {"config": 4, "sidd": 5, "folders": 2, "real_noise": 10}
    assert jobs["train_round"] == rounds[name]


@pytest.mark.slow
def test_grey_images_of_16_bits_and_any_names_train_a_network_of_one_channel(
    tmp_path, rng
):
    names = (
        "a",
        "new\nline",
        "{braces} {variant}",
        "back\\slash %s",
        "-q\"uo'te, $x_{$",
    )
    light = np.linspace(9000, 50000, 43)[None, :] * np.ones((37, 1))
    noisy = light + rng.normal(0, 3000, light.shape)
    for part, image in (("clean", light[:, ::-1]), ("truth", light), ("noisy", noisy)):
        (tmp_path / part).mkdir()
        pixels = image.clip(0, 65535).astype(np.uint16)
        for name in names:
            iio.imwrite(tmp_path / part / "image.png", pixels)
            (tmp_path / part / "image.png").rename(tmp_path / part / f"{name}.png")
    pools = {
        "clean": {"reader": "folders", "path": "clean"},
        "noisy": {"reader": "folders", "path": "noisy", "truth": {"path": "truth"}},
    }
    config = CONFIG | {"pools": pools, "variants": {"mid": {}}}
    run = snakemake(tmp_path, config, "--", "all", "report")
    assert run.returncode == 0, run.stdout + run.stderr
    results = tmp_path / "results/tiny"
    card = json.loads((results / "mid/round_1/model.json").read_text())
    assert card["channels"] == 1
    assert Store(results / "mid/round_1/noise.zarr").channels == 1
    assert pd.read_csv(results / "tables/rounds.csv")["psnr_db"].between(5, 60).all()
    scores = pd.read_csv(results / "mid/round_1/scores/noisy.csv")
    assert set(scores["image"]) == {f"{name}.png" for name in names}
    opened = pd.read_csv(results / "tables/lineage.csv")["image"]
    assert set(opened) >= {f"{tmp_path}/clean/{name}.png" for name in names}
    mid = [sys.executable, "-c", "from mid_core.commands.cli import main; main()"]
    model = results / "mid/round_1/model.safetensors"
    source, out = tmp_path / "noisy/a.png", tmp_path / "out.png"
    command = [*mid, "denoise", source, out, "--model", model]
    subprocess.run(command, check=True, capture_output=True)
    denoised = iio.imread(out)
    assert (denoised.dtype, denoised.shape) == (np.uint16, (37, 43))
