"""The section `paper` of a config: the variants that it makes, and their rows."""

import copy

import pytest
import yaml

from mid_config.comparison import compared_rows, pictured_methods, pictured_rounds
from mid_config.errors import ConfigError
from mid_config.loading import load_config
from mid_config.paper import paper_tables
from mid_config.paper_rows import paper_rounds, table_rows
from mid_config.plan import Plan
from tests.running import CONFIG


@pytest.fixture
def planned(tmp_path):
    """Return a function that plans the tiny config with a section ``paper``."""

    def plan(variants=None, methods=None, **paper):
        config = copy.deepcopy(CONFIG) | {"paper": {"variant": "mid"} | paper}
        config["variants"] |= variants or {}
        config["compared"] = methods or {}
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return Plan(load_config([path], {}))

    return plan


def test_each_table_has_variants_of_its_own(planned):
    plan = planned(mask_ratios=[0.5, 0.8], num_masks=[1, 2, 5])
    assert plan.methods["ratio_50"]["rounds"] == [{"mask_ratio": 0.5}]
    assert plan.methods["unmasked"]["rounds"] == [{"mask_ratio": 0}] * 2
    assert plan.methods["ceiling"]["initial_noise"] == "true_noise"
    assert plan.rounds["ensemble"][1].evaluate["num_masks"] == [1, 2, 5]
    # What a table shares with the method itself is trained once.
    assert plan.owner("model", "ratio_80", 0) == "mid"
    assert plan.owner("model", "ensemble", 1) == "mid"
    assert plan.owner("model", "ratio_50", 0) == "ratio_50"


def test_white_noise_is_white_whatever_the_variant_begins_with(planned):
    plan = planned({"auto": {"rounds": "auto"}}, variant="auto", mask_ratios=[0.5])
    assert plan.methods["ratio_00"]["initial_noise"] == "awgn"
    assert plan.methods["ratio_50"]["initial_noise"] == "measured"


def test_they_are_not_in_the_table_of_rounds(planned):
    own = {variant for variant, _ in planned().table_rounds()}
    assert own == set(CONFIG["variants"])


def test_another_network_has_its_own_keys(planned):
    plan = planned(networks={"small": {"name": "dncnn", "width": 8, "depth": 3}})
    network = plan.rounds["net_small"][0].train["network"]
    assert network["depth"] == 3
    assert network["norm"] == "none"
    assert "encoder" not in network
    with pytest.raises(ConfigError, match=r"paper\.networks\.small.*depht.*'depth'"):
        planned(networks={"small": {"name": "dncnn", "depht": 3}})


def test_a_variant_of_that_name_is_taken_as_it_is(planned):
    own = {"rounds": [{"mask_ratio": 0.5}], "clip": True}
    assert planned({"ratio_50": own}, mask_ratios=[0.5]).methods["ratio_50"]["clip"]


def test_further_seeds_repeat_every_variant(planned):
    plan = planned(mask_ratios=[0.5], seeds=[3, 4])
    tables = paper_tables(plan.config)
    (row,) = table_rows(plan, tables["ratios"])
    assert row["scores"] == [
        [f"results/tiny/{variant}/round_0/scores/noisy.csv"]
        for variant in ("ratio_50", "ratio_50_seed_3", "ratio_50_seed_4")
    ]
    assert plan.methods["ratio_50_seed_4"]["seed"] == 4
    (mid,) = (one for one in compared_rows(plan) if one["method"] == "MID")
    assert [run["models"][-1] for run in mid["runs"]] == [
        f"results/tiny/{variant}/round_1/model.json"
        for variant in ("mid", "mid_seed_3", "mid_seed_4")
    ]


def test_further_seeds_leave_variants_of_yours_as_they_are(planned):
    other = {"rounds": [{"mask_ratio": 0.8}, {"mask_ratio": 0.2}]}
    plan = planned({"other": other}, seeds=[3], choices=["other"])
    tables = paper_tables(plan.config)
    (choice,) = table_rows(plan, tables["choices"])
    assert [row["label"] for row in table_rows(plan, tables["by_round"])][2:] == [
        "other 0",
        "other 1",
    ]
    assert choice["scores"] == [["results/tiny/other/round_1/scores/noisy.csv"]]


def test_rows_name_their_round_and_their_masks(planned):
    plan = planned(num_masks=[1, 2, 5], networks={"other": {"name": "dncnn"}})
    tables = paper_tables(plan.config)
    found = {
        row["label"]: (row["num_masks"], row["scores"][0][0].split("/")[2:4])
        for row in table_rows(plan, tables["components"])
    }
    assert found["MID"] == (None, ["mid", "round_1"])
    assert found["without refinement"] == (None, ["mid", "round_0"])
    assert found["without ensemble"] == (1, ["mid", "round_1"])
    assert found["without masks"] == (None, ["unmasked", "round_1"])
    assert [r["num_masks"] for r in table_rows(plan, tables["ensemble"])] == [1, 2, 5]
    costs = [row["cost"] for row in table_rows(plan, tables["networks"])]
    assert costs == [
        "results/tiny/mid/round_1/cost.json",
        "results/tiny/net_other/round_1/cost.json",
    ]


def test_the_distilled_network_is_pictured_too(planned):
    network = {"name": "unet", "width": 8, "depth": 2}
    plan = planned(distilled={"network": network}, methods={"nlm": {}, "at_bsn": {}})
    keys = [method["key"] for method in pictured_methods(plan)]
    own = ["ratio_00_0", "mid_0", "mid_1", "distilled_0", "ceiling_0"]
    assert keys == [*own, "nlm", "at_bsn_0"]


def test_the_pictures_of_a_run_need_none_of_the_papers_networks(planned):
    plan = planned(distilled={"network": {"name": "unet", "width": 8, "depth": 2}})
    keys = [method["key"] for method in pictured_rounds(plan)]
    assert keys == ["mid_0", "mid_1", "no_mask_0", "true_noise_0"]


def test_what_is_borrowed_is_not_repeated(planned):
    plan = planned({"other": {"clip": True}}, choices=["mid", "other"], seeds=[3])
    tables = paper_tables(plan.config)
    seeds = [len(row["scores"]) for row in table_rows(plan, tables["choices"])]
    assert seeds == [2, 1]


def test_each_method_tells_what_it_saw(planned):
    methods = {
        "nlm": {},
        "oracle": {"method": "nlm", "options": {"level": "true"}},
        "bank": {"method": "bm3d", "options": {"level": "spectrum"}},
        "dncnn": {"pairs": "noisy"},
        "at_bsn": {},
        "elsewhere": {"weights": "a.pth"},
    }
    plan = planned({"other": {"clip": True}}, methods, compared=["other"])
    saw = {one["method"]: one["saw"] for one in compared_rows(plan)}
    assert saw == {
        "white noise, no mask": {},
        "MID": {"noisy": "noisy halves"},
        "true noise, no mask": {"noisy": "true noise"},
        "MID, other": {"noisy": "noisy halves"},
        "NLM": {},
        "bank": {"noisy": "noisy halves"},
        "oracle": {"noisy": "truths"},
        "DnCNN": {"noisy": "truths"},
        "AT-BSN": {"noisy": "noisy halves"},
        "elsewhere": {},
    }
    with pytest.raises(ConfigError, match="'lost' is asked for by a table"):
        planned(compared=["lost"])


def test_every_round_behind_the_tables_is_told(planned):
    unseen = {"rounds": [{"mask_ratio": 0.1}]}
    plan = planned({"other": {"clip": True}, "unseen": unseen}, choices=["other"])
    found = paper_rounds(plan)
    assert len(found) == len(set(found))
    variants = {variant for variant, _ in found}
    # no_mask and true_noise are in no table of the paper's, but equal what is.
    assert plan.rounds.keys() - variants == {"no_mask", "true_noise", "unseen"}
    assert {("mid", 0), ("mid", 1), ("other", 0), ("ceiling", 0)} <= set(found)


def test_an_unknown_variant_is_named(planned):
    with pytest.raises(ConfigError, match=r"paper.variant: 'mod' is not a variant"):
        planned(variant="mod")


def test_ratios_of_one_rounded_percent_are_variants_of_their_own(planned):
    plan = planned(mask_ratios=[0.004, 0.12, 0.124])
    rows = paper_tables(plan.config)["ratios"].rows
    assert [row.label for row in rows] == ["0.4 %", "12 %", "12.4 %"]
    hidden = [plan.methods[row.variant]["rounds"][0]["mask_ratio"] for row in rows]
    assert hidden == [0.004, 0.12, 0.124]
    # The baseline without a mask stays one.
    assert plan.methods["ratio_00"]["rounds"] == [{"mask_ratio": 0}]


def test_a_variant_of_yours_is_never_replaced_by_a_repetition(planned):
    own = {"rounds": [{"mask_ratio": 0.5}], "seed": 7}
    plan = planned({"mid_seed_3": own}, seeds=[3])
    assert plan.methods["mid_seed_3"]["seed"] == 7
    assert plan.methods["unmasked_seed_3"]["seed"] == 3
