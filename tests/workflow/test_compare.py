"""The target `compare`: other methods, trained and scored beside MID in one run."""

import json

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import torch

from mid_core.commands.cli import main
from tests.networks.test_published import published_nafnet
from tests.running import CONFIG, changed, draw_images, jobs_of, snakemake
from tests.small_networks import small


def pair(number: int) -> dict:
    """A pool of one noisy image and its truth."""
    truth = {"path": "pairs", "pattern": f"clean_{number}.png"}
    pattern = f"noisy_{number}.png"
    return {"reader": "folders", "path": "pairs", "pattern": pattern, "truth": truth}


FEW = {"iterations": 2, "batch_size": 2, "patch_size": 20}
TEACHER = {"network": small("triangular")}
METHODS = {
    "nlm": {},
    "nlm_true": {"method": "nlm", "label": "NLM, true", "options": {"level": "true"}},
    "dncnn": {
        "pairs": "noisy",
        "network": {"width": 8, "depth": 3},
        "training": FEW,
    },
    "tm_bsn": {"training": FEW, **TEACHER},
    "tm_bsn_distilled": {
        "training": FEW,
        "stages": {"teacher": TEACHER, "student": {"network": {"width": 4}}},
    },
    # Two passes suffice to be more than one.
    "ap_bsn": {
        "noisy": "both",
        "network": small("dbsn"),
        "training": FEW,
        "stages": {"blind": {"answer": {"refinements": 1}}},
    },
    "published": {"weights": "theirs.pth", "note": "on photographs of others"},
}
LABELS = {
    "nlm": "NLM",
    "nlm_true": "NLM, true",
    "dncnn": "DnCNN",
    "tm_bsn": "TM-BSN",
    "tm_bsn_distilled": "TM-BSN (D)",
    "ap_bsn": "AP-BSN + R3",
    "published": "published",
}
# Trainings see the image of the first test; that of the second one sees ap_bsn alone.
COMPARE = changed(rounds=[{"mask_ratio": 0.8}]) | {
    "pools": {
        "clean": CONFIG["pools"]["clean"],
        "noisy": pair(0),
        "unseen": pair(1),
        "both": CONFIG["pools"]["noisy"],
    },
    "tests": ["noisy", "unseen"],
    "variants": {"mid": {}, "true_noise": CONFIG["variants"]["true_noise"]},
    "compared": METHODS,
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder of a run of the target `compare`."""
    folder = tmp_path_factory.mktemp("compare")
    draw_images(folder)
    torch.save({"params": published_nafnet()}, folder / "theirs.pth")
    run = snakemake(folder, COMPARE, "--", "compare")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture
def results(ran):
    return ran / "results/tiny"


def column(rows: pd.DataFrame, name: str) -> dict:
    """A column by methods; as text, where it is empty too."""
    return rows.set_index("method")[name].fillna("").to_dict()


def test_every_method_is_scored_on_every_test(results):
    rows = pd.read_csv(results / "tables/compared.csv")
    rows = rows[rows["protocol"] == "gauss2d"]
    expected = ["noisy input", "mid", "true_noise", *LABELS.values()]
    for test in ("noisy", "unseen"):
        own = rows[rows["test"] == test]
        assert list(own["method"]) == expected
        assert np.isfinite(own["psnr_db"]).all()
        noisy = own.set_index("method").loc["noisy input"]
        assert noisy["psnr_db"] == noisy["noisy_psnr_db"]
    written = pd.read_csv(results / "tables/comparison.csv")
    written = written[written["source"] == "measured here"]
    assert set(written["method"]) == set(expected)
    assert iio.imread(results / "figures/tradeoff.png").size > 10_000


def test_each_is_told_by_what_it_is_and_was_given(results):
    rows = pd.read_csv(results / "tables/compared.csv")
    rows = rows[(rows["protocol"] == "gauss2d") & (rows["test"] == "noisy")]
    families, given = column(rows, "family"), column(rows, "given")
    assert [families[label] for label in LABELS.values()] == [
        *("non-learning", "non-learning", "supervised"),
        *("self-supervised", "self-supervised", "self-supervised"),
        "supervised",
    ]
    assert given["DnCNN"] == "2 x 2 x 20² of noisy + noisy's truths"
    assert given["TM-BSN (D)"] == "; then ".join(2 * ["2 x 2 x 20² of noisy"])
    assert given["published"] == given["NLM"] == ""
    trained = [LABELS[n] for n in METHODS if n not in ("nlm", "nlm_true", "published")]
    rows = rows.set_index("method")
    assert np.isfinite(rows.loc[trained, "train_seconds"]).all()
    assert rows.loc[["NLM", "NLM, true", "published"], "train_seconds"].isna().all()
    networks = rows.loc[[*trained, "published"]]
    assert networks["parameters"].gt(100).all()
    assert networks["memory_mb"].gt(0).all()
    assert rows["seconds_per_megapixel"].drop("noisy input").gt(0).all()
    table = (results / "tables/comparison.md").read_text()
    assert "on photographs of others" in table


def test_who_saw_the_scored_images_goes_by_their_files(results):
    rows = pd.read_csv(results / "tables/compared.csv")
    rows = rows[rows["protocol"] == "gauss2d"]
    seen = {test: column(own, "seen") for test, own in rows.groupby("test")}
    blind = dict.fromkeys(["noisy input", "mid", "NLM", "published"], "")
    # The one is given the true level of whatever it denoises.
    both = {"NLM, true": "truths", "AP-BSN + R3": "noisy halves"}
    one = {
        "true_noise": "true noise",
        "DnCNN": "truths",
        "TM-BSN": "noisy halves",
        "TM-BSN (D)": "noisy halves",
    }
    assert seen["noisy"] == blind | both | one
    assert seen["unseen"] == blind | both | dict.fromkeys(one, "")


def test_a_teacher_of_two_methods_is_trained_once(results):
    assert (results / "tm_bsn/round_0/model.json").is_file()
    assert [path.name for path in results.glob("tm_bsn_distilled/*")] == ["round_1"]
    card = json.loads((results / "tm_bsn_distilled/round_1/model.json").read_text())
    teacher = json.loads((results / "tm_bsn/round_0/model.json").read_text())
    assert card["before"] == teacher["sha256"]


def test_truths_are_opened_to_score_and_by_who_says_so(ran):
    jobs = pd.read_csv(ran / "results/tiny/tables/lineage_compare.csv")
    truths = {str(ran / f"pairs/clean_{i}.png") for i in (0, 1)}
    opened = jobs[jobs["image"].isin(truths)].fillna("")
    assert set(opened["image"]) == truths
    scoring = ["evaluate", "evaluate_baseline", "compare_images"]
    left = opened[~opened["rule"].isin(scoring)]
    assert set(left["rule"] + "/" + left["job"]) == {
        *("index_pool/noisy_truth", "index_pool/unseen_truth"),
        *("ingest/noisy_truth", "ingest/unseen_truth"),
        *("true_noise/noisy", "train_round/dncnn_0"),
    }
    # No image is hidden behind the store that holds it; noise has no image.
    stores = jobs[jobs["image"].str.endswith(".zarr")]["image"]
    assert {path.rpartition("/")[2] for path in stores} == {"noise.zarr"}


@pytest.mark.parametrize("name", ["ap_bsn", "published"])
def test_a_model_denoises_elsewhere_as_in_the_pictures(
    name, ran, tmp_path, monkeypatch
):
    index = json.loads((ran / "results/tiny/figures/methods/index.json").read_text())
    (image,) = index["images"]
    shown = [one["key"] for one in image["methods"]]
    own = ["nlm", "nlm_true", "dncnn_0", "tm_bsn_0", "tm_bsn_distilled_1"]
    own += ["ap_bsn_0", "published_0"]
    assert shown == ["noisy", "mid_0", "true_noise_0", *own, "truth", "taken_out"]
    model = ran / f"results/tiny/{name}/round_0/model.safetensors"
    arguments = ["mid", "denoise", ran / "pairs", tmp_path / "out", "--model", model]
    monkeypatch.setattr("sys.argv", list(map(str, arguments)))
    main()
    file = image["methods"][shown.index(f"{name}_0")]["file"]
    # A whole image fits into the window.
    picture = iio.imread(ran / "results/tiny/figures/methods" / file)
    found = iio.imread(tmp_path / "out/noisy_0.png")
    assert picture.shape == (41, 35, 3)
    np.testing.assert_array_equal(found, picture)


def test_a_second_run_does_nothing_and_one_more_method_only_its_own(ran):
    dry = ("--dry-run", "--", "compare")
    assert jobs_of(snakemake(ran, COMPARE, *dry)) == {}
    more = {"noise2void": {"network": {"width": 4, "depth": 1}, "training": FEW}}
    jobs = jobs_of(snakemake(ran, COMPARE | {"compared": METHODS | more}, *dry))
    assert jobs == {
        "train_round": 1,
        "evaluate": 2,
        "measure_cost": 1,
        "tabulate_comparison": 1,
        "plot_tradeoff": 1,
        "compare_images": 1,
        "lineage": 1,
        "compare": 1,
    }


def test_the_default_target_has_no_job_of_another_method(ran):
    jobs = jobs_of(snakemake(ran, COMPARE, "--dry-run", "--forceall"))
    # Those of MID and its ceiling.
    assert (jobs["train_round"], jobs["evaluate"]) == (2, 4)
    others = ("evaluate_baseline", "take_weights", "measure_cost", "compare_images")
    assert not {*others, "tabulate_comparison", "plot_tradeoff"} & set(jobs)


def test_snakemakes_own_report_has_the_figure(ran):
    report = ("--report", "report.zip", "--", "compare")
    run = snakemake(ran, COMPARE, *report, cores=())
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Report created" in run.stdout + run.stderr
