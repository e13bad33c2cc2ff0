"""The target `paper`: every table and figure from one command, with and without truth."""

import json

import imageio.v3 as iio
import pandas as pd
import pytest

from tests.running import CONFIG, draw_images, snakemake

NETWORK = {
    "name": "unet",
    "width": 8,
    "depth": 1,
    "pixel_unshuffle": 2,
    "residual": True,
}
PAPER = {
    "variant": "mid",
    "num_masks": [1, 2],
    "mask_ratios": [0, 0.8],
    "choices": ["mid", "tested_50"],
    "distilled": {"network": NETWORK, "targets": 1},
    "inpainting": {"mask_ratios": [0.8], "crops": 1, "checks": 2},
}
SCORED = {"tested_50": {"evaluation": {"num_masks": [1, 2], "mask_ratio": 0.5}}}
MID = {"variants": {"mid": {}}, "figures": CONFIG["figures"] | {"variant": "mid"}}
ABLATIONS = {"networks", "by_round", "components", "ensemble", "ratios", "cost"}
ABLATIONS |= {"inpainting", "choices"}
FIGURES = {
    "noise",
    "tradeoff",
    "training",
    "rounds",
    "crops",
    "method",
    "methods",
    "remains",
}
FIGURES |= {"inpainter", "inpainted", "realism", "brightness", "autocorrelation", "gap"}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of a whole run of the target `paper`."""
    folder = tmp_path_factory.mktemp("paper")
    draw_images(folder)
    config = CONFIG | MID | {"variants": {"mid": {}} | SCORED, "paper": PAPER}
    config |= {"compared": {"nlm": {}}}
    config |= {"tables": {"rounds": ["mid"]}}
    run = snakemake(folder, config, "--", "paper")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder / "results/tiny"


@pytest.mark.slow
def test_every_table_and_figure_is_there(results):
    tables = ABLATIONS | {"comparison", "rounds", "judged", "realism", "gap", "claims"}
    for kind in ("csv", "md", "tex"):
        found = {path.stem for path in (results / "tables").glob(f"*.{kind}")}
        assert found - {"lineage_paper", "compared"} == tables, kind
    for kind in ("png", "pdf"):
        found = {path.stem for path in (results / "figures").glob(f"*.{kind}")}
        assert found == FIGURES, kind
    for path in (results / "figures").glob("*.png"):
        assert iio.imread(path).size > 10_000
    for name in ABLATIONS:
        table = pd.read_csv(results / f"tables/{name}.csv")
        assert table["n_images"].eq(2).all()
        assert table["psnr_db"].between(3, 60).all()


@pytest.mark.slow
def test_table_1_says_who_saw_the_test(results):
    table = pd.read_csv(results / "tables/comparison.csv", keep_default_na=False)
    own = table[table["source"] == "measured here"].drop_duplicates("method")
    assert own.set_index("method")["seen"].to_dict() == {
        "noisy input": "",
        "NLM": "",
        "white noise, no mask": "",
        "MID": "noisy halves",
        "MID, distilled": "noisy halves",
        "true noise, no mask": "true noise",
    }
    assert "MID, distilled †" in (results / "tables/comparison.md").read_text()


@pytest.mark.slow
def test_the_report_has_them_all(results):
    page = (results / "report.html").read_text()
    for title in ("Architectures (Table 2)", "Claims of the paper", "Realism of the"):
        assert title in page
    cards = set(results.glob("*/round_*/model.json"))
    hashes = {json.loads(card.read_text())["sha256"][:12] for card in cards}
    assert len(hashes) > 6
    assert all(one in page for one in hashes)


@pytest.mark.slow
def test_lineage_has_the_papers_jobs(results):
    jobs = pd.read_csv(results / "tables/lineage_paper.csv", keep_default_na=False)
    rules = set(jobs["rule"])
    assert {
        "distillation_targets",
        "evaluate_baseline",
        "measure_realism",
        "compare_images",
    } <= rules
    trained = set(jobs[jobs["rule"] == "train_round"]["job"])
    assert trained == {
        f"{card.parts[-3]}_{card.parts[-2].removeprefix('round_')}"
        for card in results.glob("*/round_*/model.json")
    }


@pytest.mark.slow
def test_without_a_truth_it_says_what_is_left_out(tmp_path):
    draw_images(tmp_path)
    noisy = {"reader": "folders", "path": "pairs", "pattern": "noisy_*.png"}
    pools = {"clean": CONFIG["pools"]["clean"], "noisy": noisy}
    config = (
        CONFIG | MID | {"pools": pools, "tests": [], "paper": PAPER | {"choices": []}}
    )
    run = snakemake(tmp_path, config, "--", "paper")
    assert run.returncode == 0, run.stdout + run.stderr
    results = tmp_path / "results/tiny"
    assert {path.name for path in results.glob("*/round_*")} == {"round_0", "round_1"}
    assert {path.parent.name for path in results.glob("*/round_*")} == {"mid"}
    claims = (results / "tables/claims.md").read_text()
    assert "left out, without a pool under `tests`: Tables and Figures" in claims
    assert "left out, without a truth of pool noisy: the ceiling" in claims
    assert "left out, without a pool" in (results / "report.html").read_text()
