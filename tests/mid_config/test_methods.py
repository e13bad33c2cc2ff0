"""The section `compared` of a config: other methods, completed by their files."""

import copy
import json

import pytest
import yaml

from mid_config import registry
from mid_config.comparison import compared_rows, pictured_methods
from mid_config.errors import ConfigError
from mid_config.loading import load_config
from mid_config.plan import Plan
from tests.conftest import ROOT
from tests.running import CONFIG

SMALL = {"width": 4}


@pytest.fixture
def loaded(tmp_path):
    """Return a function that loads the tiny config with compared methods."""

    def load(methods, *more, **changes):
        config = copy.deepcopy(CONFIG) | {"compared": methods} | changes
        files = []
        for i, content in enumerate([config, *more]):
            files.append(tmp_path / f"config_{i}.yaml")
            files[-1].write_text(yaml.safe_dump(content, sort_keys=False))
        return load_config(files, {})

    return load


@pytest.fixture
def planned(loaded):
    return lambda *methods, **changes: Plan(loaded(*methods, **changes))


def test_an_entry_is_what_its_methods_file_says(loaded):
    found = loaded({"at_bsn_distilled": {}})["compared"]["at_bsn_distilled"]
    assert (found["label"], found["family"]) == ("AT-BSN (D)", "self-supervised")
    assert (found["noisy"], found["clean"], found["seed"]) == ("noisy", "clean", 0)
    teacher, student = found["stages"].values()
    assert list(found["stages"]) == ["teacher", "student"]
    assert teacher["options"] == {"hole": 9}
    assert student["sees"] == ["noisy", "before"]
    assert student["network"] == {"name": "skip_unet", "width": 48, "ending": "at_bsn"}
    assert student["training"]["patch_size"] == 128
    # Of all trainings, not of this method's file.
    assert student["training"]["ema_decay"] == 0.999


def test_changes_are_for_all_trainings_or_for_one(loaded):
    changes = {
        "training": {"iterations": 7, "batch_size": 3},
        "network": {"width": 4},
        "stages": {
            "student": {"training": {"iterations": 9}, "options": {"holes": [0]}}
        },
    }
    stages = loaded({"at_bsn_distilled": changes})["compared"]["at_bsn_distilled"]
    teacher, student = stages["stages"].values()
    assert [s["training"]["iterations"] for s in (teacher, student)] == [7, 9]
    assert [s["training"]["batch_size"] for s in (teacher, student)] == [3, 3]
    assert [s["network"]["width"] for s in (teacher, student)] == [4, 4]
    assert student["options"] == {"holes": [0]}
    assert student["network"]["ending"] == "at_bsn"
    assert set(stages) & {"training", "network"} == set()


def test_a_method_may_stand_under_other_names(loaded):
    methods = {
        "nlm": {},
        "nlm_white": {"method": "nlm", "options": {"level": "white"}},
        "named": {"method": "nlm", "label": "NLM, once more"},
    }
    found = loaded(methods)["compared"]
    assert [one["label"] for one in found.values()] == [
        "NLM",
        "nlm_white",
        "NLM, once more",
    ]
    assert [one["options"]["level"] for one in found.values()] == [
        "seen",
        "white",
        "seen",
    ]


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"lost": {}}, r"'lost': there is no method 'lost' \(there are: nlm, bm3d, "),
        ({"a": {"method": "nln"}}, r"'a': there is no method 'nln'"),
        (
            {"at_bsn": {"stages": {"student": {}}}},
            r"'at_bsn': 'stages.student' is not a training of at_bsn \(there are: teach",
        ),
        (
            {"at_bsn": {"stages": {"teacher": {"options": {"holl": 3}}}}},
            r"'at_bsn': 'stages.teacher.options.holl' is not .* did you mean 'hole'\?",
        ),
        (
            {"at_bsn": {"stages": {"teacher": {"training": {"iteration": 3}}}}},
            r"'stages.teacher.training.iteration' is not .* did you mean 'iterations'",
        ),
        ({"at_bsn": {"network": {"wide": 3}}}, r"network.wide' .* mean 'width'"),
        (
            {"at_bsn": {"training": {"loss": "l1"}}},
            r"training.loss' is not a known key",
        ),
        ({"at_bsn": {"training": {"gpus": 2}}}, r"training.gpus' is not a known key"),
        (
            {"at_bsn": {"option": {}}},
            r"at_bsn.option' is not .* did you mean 'options'",
        ),
        (
            {"at_bsn": {"options": {"hole": 3}}},
            "'options' has no meaning here: at_bsn ",
        ),
        (
            {"nlm": {"training": {}}},
            "'training' has no meaning here: nlm is not trained",
        ),
        ({"nlm": {"options": {"levels": "true"}}}, "options.levels' .* mean 'level'"),
        (
            {"nlm": {"options": {"level": "sene"}}},
            "options.level' cannot be 'sene'; did you mean 'seen'",
        ),
        (
            {"nlm": {"options": {"level": "spectrum"}}},
            "options.level' cannot be 'spectrum'",
        ),
        (
            {"dncnn": {}},
            "dncnn is supervised: name under `pairs` the pool whose truths",
        ),
        (
            {"dncnn": {"pairs": "lost"}},
            "dncnn: pairs names the pool 'lost', which is not",
        ),
        (
            {"dncnn": {"pairs": "clean"}},
            "dncnn: pairs names the pool 'clean', which has",
        ),
        (
            {"at_bsn": {"pairs": "noisy"}},
            "'pairs' has no meaning here: at_bsn sees no truths",
        ),
        (
            {"a": {"weights": "a.pth", "training": {}}},
            "'a': 'training' has no meaning here: published weights are taken as they are",
        ),
        (
            {"at_bsn": {"noisy": "lost"}},
            "at_bsn: noisy names the pool 'lost', which is",
        ),
        (
            {"mid": {"method": "nlm"}},
            r"compared.mid: its folder would be .*of the work",
        ),
        ({"tables": {"method": "nlm"}}, r"compared.tables: its folder would be"),
        (
            {"nlm": {}, "Nlm": {"method": "nlm"}},
            "compared.Nlm: its folder would be that",
        ),
    ],
)
def test_mistakes_are_named(methods, message, planned):
    with pytest.raises(ConfigError, match=message):
        planned(methods)


def test_null_switches_a_method_off(loaded):
    methods = {"nlm": {}, "at_bsn": {}}
    found = loaded(methods, {"compared": {"at_bsn": None}})
    assert list(found["compared"]) == ["nlm"]


METHODS = {
    "nlm": {},
    "oracle": {"method": "nlm", "options": {"level": "true"}, "label": "O"},
    "dncnn": {"pairs": "noisy", "network": {"width": 8, "depth": 4}},
    "at_bsn_distilled": {"network": SMALL, "noisy": "noisy", "seed": 3},
    "ap_bsn": {"training": {"iterations": 7}},
    "elsewhere": {"weights": "a.pth", "note": "on SIDD"},
}


def test_a_whole_config_loads_again_to_itself(loaded, tmp_path):
    once = loaded(METHODS, paper={"variant": "mid", "seeds": [5]})
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(once))))
    assert load_config([path], {}) == once


def test_only_what_is_trained_is_repeated_with_further_seeds(planned):
    plan = planned(METHODS, paper={"variant": "mid", "seeds": [5, 6]})
    trained = ["dncnn", "at_bsn_distilled", "ap_bsn"]
    assert plan.compared.keys() - METHODS.keys() == {
        f"{name}_seed_{seed}" for name in trained for seed in (5, 6)
    }
    assert plan.rounds["ap_bsn_seed_6"][0].train["seed"] == 6
    assert plan.owner("model", "ap_bsn_seed_6", 0) == "ap_bsn_seed_6"
    rows = {row["method"]: len(row["runs"]) for row in compared_rows(plan)}
    own = {
        "NLM": 1,
        "O": 1,
        "DnCNN": 3,
        "AT-BSN (D)": 3,
        "AP-BSN + R3": 3,
        "elsewhere": 1,
    }
    assert rows.items() >= own.items()
    assert len(rows) == 3 + len(own)
    own = ["ratio_00_0", "mid_0", "mid_1", "ceiling_0"]
    assert [one["key"] for one in pictured_methods(plan)] == [
        *own,
        "nlm",
        "oracle",
        "dncnn_0",
        "at_bsn_distilled_1",
        "ap_bsn_0",
        "elsewhere_0",
    ]


def test_equal_trainings_of_two_methods_are_made_once(planned):
    plan = planned({"at_bsn": {}, "at_bsn_distilled": {}})
    assert plan.owner("model", "at_bsn_distilled", 0) == "at_bsn"
    assert plan.model("at_bsn_distilled", 0) == plan.model("at_bsn", 0)
    before = plan.seen("at_bsn_distilled", 1)["before"]
    assert before == "results/tiny/at_bsn/round_0/model.json"
    assert plan.owner("model", "at_bsn_distilled", 1) == "at_bsn_distilled"


@pytest.mark.parametrize(
    "change",
    [
        {"stages": {"teacher": {"training": {"iterations": 7}}}},
        {"stages": {"teacher": {"options": {"hole": 5}}}},
        {"network": SMALL},
        {"seed": 1},
        {"noisy": "clean"},
    ],
)
def test_another_training_is_made_apart(planned, change):
    plan = planned({"at_bsn": {}, "at_bsn_distilled": change})
    assert plan.owner("model", "at_bsn_distilled", 0) == "at_bsn_distilled"
    before = plan.seen("at_bsn_distilled", 1)["before"]
    assert before == "results/tiny/at_bsn_distilled/round_0/model.json"


def test_what_changes_no_training_shares_its_models(planned):
    student = {"stages": {"student": {"training": {"iterations": 7}}}, "label": "D"}
    plan = planned({"at_bsn": {}, "at_bsn_distilled": student})
    assert plan.owner("model", "at_bsn_distilled", 0) == "at_bsn"


def test_each_training_sees_what_its_file_says(planned):
    methods = {"dncnn": {"pairs": "noisy"}, "at_bsn": {}, "sasl": {}}
    plan = planned(methods)
    data = "results/tiny/data/noisy"
    image, truth = f"{data}/image.manifest.json", f"{data}/truth.manifest.json"
    assert plan.seen("dncnn", 0) == {"noisy": image, "truth": truth}
    assert plan.seen("at_bsn", 0) == {"noisy": image}
    last = len(plan.rounds["sasl"]) - 1
    assert last > 0
    before = plan.model("sasl", last - 1)
    assert plan.seen("sasl", last) == {"noisy": image, "before": before}


def test_the_doctor_is_told_what_compared_methods_need_of_the_pools(planned):
    pools = CONFIG["pools"] | {"pairs": CONFIG["pools"]["noisy"]}
    plan = planned({"dncnn": {"pairs": "pairs"}}, pools=pools)
    assert plan.uses()["pairs"] == ["pairs of a compared method"]
    plan.absent = {"pairs": "nowhere"}
    assert "pairs" not in plan.left_out(), "no table of MID's waits for it"


def test_the_quick_options_are_those_that_were_measured():
    compared = load_config([ROOT / "config/real_noise.yaml"], {})["compared"]
    for name in ("ksvd", "orthogonal_dictionary", "lpg_pca", "wnnm", "twsc"):
        known = registry.method(name)
        assert known["quick"].keys() <= known["options"].keys()
        assert compared[name]["options"] == known["options"] | known["quick"]
