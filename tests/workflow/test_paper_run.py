"""The target `paper`: every table and figure from one command, with and without truth."""

import json

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest

from mid_core.evaluation.held_out import COLUMN
from mid_core.evaluation.metrics import psnr
from mid_core.jobs.lineage import opened_path
from mid_core.store import Store
from tests.running import CONFIG, draw_images, jobs_of, snakemake

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
    "distilled": {"network": NETWORK, "targets": 2},
    "inpainting": {"mask_ratios": [0.5, 0.8], "crops": 3, "checks": 2},
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


def config(**paper) -> dict:
    """The tiny config with changes to the section `paper`."""
    variants = {"variants": {"mid": {}} | SCORED, "tables": {"rounds": ["mid"]}}
    return CONFIG | MID | variants | {"compared": {"nlm": {}}, "paper": PAPER | paper}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a whole run of the target `paper`."""
    folder = tmp_path_factory.mktemp("paper")
    draw_images(folder)
    run = snakemake(folder, config(), "--", "paper")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture
def results(folder):
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
def test_figures_and_scores_of_inpainters(results):
    history = pd.read_csv(results / "inpaint_50/round_0/history.csv")
    assert list(history["step"]) == [2, 4]
    assert history[COLUMN].between(3, 40).all()
    assert COLUMN not in pd.read_csv(results / "mid/round_0/history.csv")
    scores = pd.read_csv(results / "inpaint_80/round_0/scores/noisy.csv")
    assert set(scores["mask_ratio"]) == {0.8}
    # What it is given is the truth itself.
    assert np.isinf(scores["noisy_psnr_db"]).all()
    assert scores["psnr_db"].between(3, 40).all()
    table = (results / "tables/inpainting.md").read_text()
    assert "| 50 % |" in table
    assert "| 80 % |" in table
    for name in ("inpainter", "inpainted"):
        assert iio.imread(results / f"figures/{name}.png").size > 10_000


@pytest.mark.slow
def test_the_distilled_network_is_scored_in_one_pass(results):
    scores = pd.read_csv(results / "distilled/round_0/scores/noisy.csv")
    assert set(scores["k"]) == {1}
    assert set(scores["mask_ratio"]) == {0}
    card = json.loads((results / "distilled/round_0/model.json").read_text())
    targets = Store(results / "distilled/round_0/targets.zarr")
    assert card["targets"] == targets.content
    assert (
        targets.attributes["model"]
        == json.loads((results / "mid/round_1/model.json").read_text())["sha256"]
    )
    noisy, truth = (Store(results / f"data/noisy/{s}.zarr") for s in ("image", "truth"))
    assert len(targets) == 2 * len(noisy)
    assert psnr(targets.read(0) / 255, targets.read(1) / 255) < 60
    for job in ("distillation_targets/distilled_0", "train_round/distilled_0"):
        opened = json.loads(opened_path(results / f"logs/{job}.log").read_text())
        assert noisy.path.absolute().as_posix() in opened
        assert truth.path.absolute().as_posix() not in opened


@pytest.mark.slow
def test_what_changes_runs_again_and_nothing_else(folder):
    files = ("figures/inpainter.png", "figures/inpainted.png", "tables/inpainting.md")
    files += ("distilled/round_0/scores/noisy.csv",)
    wanted = [f"results/tiny/{file}" for file in files]

    def jobs(again):
        return jobs_of(snakemake(folder, again, "--dry-run", "--", *wanted))

    assert jobs(config()) == {}
    teacher = PAPER["distilled"] | {"num_masks": 3}
    taught = {"distillation_targets": 1, "train_round": 1, "evaluate": 1}
    assert jobs(config(distilled=teacher)) == taught
    method = CONFIG["method"] | {"rounds": [{"mask_ratio": 0.8}, {"mask_ratio": 0.4}]}
    found = jobs(config() | {"method": method})
    assert found == {"distillation_targets": 1, "train_round": 2, "evaluate": 1}
    student = PAPER["distilled"] | {"recharge": 0.5}
    often = PAPER["inpainting"] | {"checks": 4}
    found = jobs(config(distilled=student, inpainting=often))
    # The student and two inpainters.
    assert (found["train_round"], found["plot_inpainter"]) == (3, 1)


@pytest.mark.slow
def test_without_a_truth_it_says_what_is_left_out(tmp_path):
    draw_images(tmp_path)
    noisy = {"reader": "folders", "path": "pairs", "pattern": "noisy_*.png"}
    pools = {"clean": CONFIG["pools"]["clean"], "noisy": noisy}
    paper = {"pools": pools, "tests": [], "paper": PAPER | {"choices": []}}
    run = snakemake(tmp_path, CONFIG | MID | paper, "--", "paper")
    assert run.returncode == 0, run.stdout + run.stderr
    results = tmp_path / "results/tiny"
    assert {path.name for path in results.glob("*/round_*")} == {"round_0", "round_1"}
    assert {path.parent.name for path in results.glob("*/round_*")} == {"mid"}
    claims = (results / "tables/claims.md").read_text()
    assert "left out, without a pool under `tests`: Tables and Figures" in claims
    assert "left out, without a truth of pool noisy: the ceiling" in claims
    assert "left out, without a pool" in (results / "report.html").read_text()
