"""The paper's config on miniatures of its data sets, in their true formats."""

import base64
import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import yaml

from tests.conftest import ROOT, TINY
from tests.datasets import miniatures
from tests.running import jobs_of, snakemake

pytestmark = pytest.mark.slow
BOXES = np.array([[1, 1, 16, 18], [3, 5, 24, 31]])


def paper_config(**rounds) -> dict:
    """config/sidd.yaml, with a network and rounds that take seconds."""
    config = yaml.safe_load((ROOT / "config/sidd.yaml").read_text())
    method = {"awgn": {"count": 3, "size": 17, "sigma": [5, 50]}, "network": TINY}
    method["training"] = {"iterations": 3, "batch_size": 2, "patch_size": 16}
    method["rounds"] = [{"mask_ratio": 0.8}, {"mask_ratio": [0.5, 0.7]}]
    method["evaluation"] = {
        "num_masks": [1, 2],
        "protocols": ["sidd-matlab3d", "gauss2d"],
    }
    # Banks of untrained networks would stop at the gate.
    method["gate"] = {"mean": 255, "std": [0, 255], "leakage": 1, "kurtosis": 999}
    config["method"] |= method
    for one in config["submissions"].values():
        one["num_masks"] = 2
    config["paper"]["distilled"]["training"] = {"iterations": 3, "patch_size": 16}
    # Its crops are of the validation blocks, which are 13 pixels high here.
    config["paper"]["inpainting"] = {"training": {"iterations": 3, "patch_size": 13}}
    runtime = {"device": "cpu", "threads": 1, "tile": 256}
    return config | {"figures": {"crops": 2, "crop_px": 16}, "runtime": runtime}


def data_sets(folder: Path) -> None:
    """Lay the paper's data sets out where config/sidd.yaml looks for them."""
    data = folder / "data"
    miniatures.sidd_medium(data / "SIDD_Medium_Srgb", shape=(21, 19, 3))
    for part, write in (
        ("validation", miniatures.mat5),
        ("benchmark", miniatures.mat73),
    ):
        blocks = data / f"SIDD_{part}"
        miniatures.sidd_blocks(blocks, write, shape=(2, 3, 13, 17, 3))
    miniatures.dnd(data, [BOXES, BOXES - [[0], [1]]])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sidd")
    data_sets(folder)
    run = snakemake(folder, paper_config())
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def test_the_paper_s_config_runs_to_its_tables(finished):
    results = finished / "results/sidd"
    table = pd.read_csv(results / "tables/rounds.csv")
    assert set(table["variant"]) == {"noisy", "mid", "no_mask"}
    assert table["n_images"].eq(6).all()
    assert table["split"].eq("validation, 6 of 1280").all()
    sides = json.loads((results / "data/clean/split.json").read_text())
    assert (sides["by"], sides["seed"], sides["share"]) == ("instance", 0, 0.5)
    assert not set(sides["clean"]) & set(sides["noisy"])
    for pool in ("clean", "noisy"):
        items = json.loads((results / f"data/{pool}/image.files.json").read_text())[
            "items"
        ]
        assert {item["name"].split("/")[0] for item in items} == set(sides[pool])
        # The truth of the noisy side is known, but nobody asks for it.
        assert not (results / f"data/{pool}/truth.zarr").exists()
    assert (
        "all files that the run needs are there"
        in (results / "data/doctor.txt").read_text()
    )


def test_the_bundles_are_what_the_servers_read(finished):
    sent = finished / "results/sidd/submissions"
    with (sent / "sidd_kaggle/SubmitSrgb.csv").open(newline="") as file:
        csv.field_size_limit(2**24)
        rows = list(csv.DictReader(file))
    assert [row["ID"] for row in rows] == [str(i) for i in range(6)]
    blocks = [np.frombuffer(base64.b64decode(row["BLOCK"]), np.uint8) for row in rows]
    blocks = np.stack(blocks).reshape(2, 3, 13, 17, 3)
    old = scipy.io.loadmat(sent / "sidd_server/SubmitSrgb.mat")["DenoisedBlocksSrgb"]
    assert old.shape == (2, 3)
    for place in np.ndindex(2, 3):
        rounded = np.floor(old[place] * 255 + 0.5)
        np.testing.assert_array_equal(blocks[place], rounded)
    for photo in (1, 2):
        bundle = scipy.io.loadmat(sent / f"dnd/bundled/{photo:04d}.mat")
        crops = bundle["Idenoised"].ravel()
        shapes = [crop.shape for crop in crops]
        assert shapes == [(16, 18, 3), (22, 27, 3)]
        assert all(crop.dtype == np.float32 for crop in crops)
    listed = json.loads((sent / "dnd/bundle.json").read_text())
    assert listed["complete"] is False


def test_every_image_that_a_job_opened_is_on_record(finished):
    lineage = pd.read_csv(finished / "results/sidd/tables/lineage.csv").fillna("")
    sides = json.loads((finished / "results/sidd/data/clean/split.json").read_text())

    def opened(rule, job):
        rows = lineage[(lineage["rule"] == rule) & (lineage["job"] == job)]
        return {Path(image).relative_to(finished) for image in rows["image"]}

    def photos(pool, kind):
        folder = finished / "data/SIDD_Medium_Srgb"
        found = [p for p in folder.rglob(f"*{kind}_SRGB*") if p.parent.name in pool]
        return {path.relative_to(finished) for path in found}

    clean, noisy = photos(sides["clean"], "GT"), photos(sides["noisy"], "NOISY")
    assert clean
    assert noisy
    assert opened("ingest", "clean_image") == clean
    assert opened("ingest", "noisy_image") == noisy
    bank = Path("results/sidd/mid/round_1/noise.zarr")
    assert opened("extract_noise", "mid_1") == noisy
    assert opened("train_round", "mid_1") == {*clean, bank}
    # No job opened a noisy photo of the clean side, or a truth of the noisy one.
    photographed = {i for i in lineage["image"] if "SIDD_Medium" in i}
    assert {Path(i).relative_to(finished) for i in photographed} == clean | noisy


def test_without_the_noisy_half_s_truth_the_weights_are_the_same(finished, tmp_path):
    shutil.copytree(finished / "data", tmp_path / "data")
    sides = json.loads((finished / "results/sidd/data/clean/split.json").read_text())
    gone = [
        path
        for path in (tmp_path / "data").rglob("*GT_SRGB*")
        if path.parent.name in sides["noisy"]
    ]
    for path in gone:
        path.unlink()
    assert len(gone) == 2 * len(sides["noisy"])
    last = "results/sidd/mid/round_1/model.json"
    run = snakemake(tmp_path, paper_config(), "--", last)
    assert run.returncode == 0, run.stdout + run.stderr
    for k in (0, 1):
        weights = f"results/sidd/mid/round_{k}/model.safetensors"
        assert (tmp_path / weights).read_bytes() == (finished / weights).read_bytes()


def test_a_missing_dnd_takes_only_its_own_results_away(finished, tmp_path):
    shutil.copytree(finished / "data", tmp_path / "data")
    shutil.rmtree(tmp_path / "data/dnd_2017")
    shutil.rmtree(tmp_path / "data/SIDD_validation")
    jobs = jobs_of(snakemake(tmp_path, paper_config(), "--dry-run"))
    assert (jobs["train_round"], jobs["bundle_submission"]) == (3, 2)
    assert "evaluate" not in jobs
    config = paper_config() | {"tests": []}
    assert jobs_of(snakemake(tmp_path, config, "--dry-run"))["train_round"] == 3


def test_a_test_that_is_missing_is_marked_in_the_table(finished, tmp_path):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "data/dnd_2017")
    config = paper_config()
    config["pools"]["small"] = {
        "reader": "polyu",
        "path": "data/polyu",
        "part": "noisy",
    }
    config["tests"] = ["validation", "small"]
    run = snakemake(tmp_path, config, "--until", "tabulate_rounds")
    said = run.stdout + run.stderr
    assert run.returncode == 0, said
    for pool in ("dnd", "small"):
        assert f"Not available: {pool}, as there is no folder {tmp_path}" in said
    table = (tmp_path / "results/sidd/tables/rounds.md").read_text()
    for pool in ("dnd", "small"):
        assert f"**{pool}: not available, as there is no folder" in table
    assert "**validation, protocol " in table


def test_the_doctor_s_verdict_comes_before_any_decoding(finished, tmp_path):
    shutil.copytree(finished / "data", tmp_path / "data")
    whole = tmp_path / "data/SIDD_validation/ValidationGtBlocksSrgb.mat"
    whole.write_text("<!DOCTYPE html><html>sign in</html>")
    (tmp_path / "data/dnd_2017/images_srgb/0002.mat").unlink()
    run = snakemake(tmp_path, paper_config())
    said = run.stdout + run.stderr
    assert run.returncode == 1
    for path in (whole, tmp_path / "data/dnd_2017/images_srgb/0002.mat"):
        assert f"{path.relative_to(tmp_path)} " in said
    assert "not ready:\n  see validation\n  see dnd" in said
    assert not list(tmp_path.glob("results/**/*.json"))
    mid = [
        sys.executable,
        "-c",
        "import sys; from mid_core.commands.cli import main; sys.exit(main())",
    ]
    command = [*mid, "doctor", "config.yaml"]
    doctor = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert doctor.returncode == 1
    assert "not ready:\n  see validation\n  see dnd" in doctor.stdout
