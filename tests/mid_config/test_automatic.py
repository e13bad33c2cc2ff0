"""What ``auto`` stands for: rounds, levels and ratios that suit the noise that is seen."""

import re

import pytest
import yaml

from mid_config.automatic import unfold
from mid_config.errors import ConfigError
from mid_config.loading import load_config
from mid_config.plan import Plan
from tests.running import CONFIG, changed

ROUNDS = [{"mask_ratio": "auto"}, {"mask_ratio": 0, "taught": True}]
# As they were before there was anything automatic: the settings of whoever has them
# already must stay the same, or all that was made is made again.
TRAIN = {"pool", "network", "training", "masking", "clip", "seed", "round"}
EXTRACT = {"num_masks", "pool", "masking", "seed", "round"}


@pytest.fixture
def planned(tmp_path):
    """Return a function that plans the tiny config with another method."""

    def plan(variants=None, **method):
        config = changed(**method)
        # Without rounds of its own.
        config["variants"] = variants or {"mid": {}}
        path = tmp_path / "c.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return Plan(load_config([path], {}))

    return plan


def test_automatic_rounds_are_written_out(planned):
    found = planned(rounds="auto")
    assert found.methods["mid"]["rounds"] == ROUNDS
    first, second = found.rounds["mid"]
    assert first.extract == {
        "initial_noise": "measured",
        "pool": "noisy",
        "count": 3,
        "size": 17,
        "seed": 0,
    }
    assert first.train["masking"]["mask_ratio"] == "auto"
    assert first.train["trials"] == found.methods["mid"]["trials"]
    assert first.train["pool"] == "clean"
    # What the first network predicts, four times, of each noisy image.
    assert second.extract == {
        "round": 1,
        "pool": "noisy",
        "targets": 4,
        "num_masks": 1,
        "brightness": "auto",
        "seed": 0,
    }
    assert second.train["pool"] == "noisy"
    assert second.train["recharge"] == 0
    assert (second.train["clean"], second.train["clean_share"]) == ("clean", 0.5)
    assert "trials" not in second.train
    assert second.evaluate["num_masks"] == [1]
    # A second plan does not get what was written into the first.
    found.methods["mid"]["rounds"][0]["mask_ratio"] = 0.5
    assert planned(rounds="auto").methods["mid"]["rounds"] == ROUNDS


def test_a_whole_config_of_automatic_rounds_is_one_again(planned, tmp_path):
    found = planned(rounds="auto")
    path = tmp_path / "saved.yaml"
    path.write_text(yaml.safe_dump(found.config))
    assert Plan(load_config([path], {})).rounds == found.rounds


def test_what_a_method_says_itself_is_kept(planned):
    extraction = {"brightness": "predicted", "num_masks": 2}
    found = planned(rounds="auto", initial_noise="awgn", extraction=extraction)
    method = found.methods["mid"]
    assert method["rounds"] == ROUNDS
    assert method["initial_noise"] == "awgn"
    assert method["extraction"]["brightness"] == "predicted"
    assert method["extraction"]["num_masks"] == 2
    assert "sigma_5-50" in found.bank("mid", 0)
    assert "brightness" not in found.rounds["mid"][1].extract


def test_variants_may_have_automatic_rounds(planned):
    kept = {
        "rounds": "auto",
        "initial_noise": "awgn",
        "extraction": {"brightness": "predicted"},
    }
    found = planned({"mid": {}, "own": {"rounds": "auto"}, "kept": kept})
    methods = found.methods
    assert methods["own"]["rounds"] == methods["kept"]["rounds"] == ROUNDS
    settings = {
        name: (one["initial_noise"], one["extraction"]["brightness"])
        for name, one in methods.items()
    }
    assert settings == {
        "mid": ("awgn", "predicted"),
        "own": ("measured", "auto"),
        "kept": ("awgn", "predicted"),
    }
    # What the method says beside the rounds holds in all of them.
    assert {one["extraction"]["num_masks"] for one in methods.values()} == {2}
    assert [one["mask_ratio"] for one in methods["mid"]["rounds"]] == [0.8, 0.3]


def test_what_a_later_file_says_is_unfolded_with_the_first(tmp_path):
    paths = tmp_path / "a.yaml", tmp_path / "b.yaml"
    contents = CONFIG, {"method": {"rounds": "auto"}}
    for path, content in zip(paths, contents, strict=True):
        path.write_text(yaml.safe_dump(content))
    method = Plan(load_config(paths, {})).methods["mid"]
    assert (method["rounds"], method["initial_noise"]) == (ROUNDS, "measured")
    method = load_config(paths[:1], {"method": {"rounds": "auto"}})["method"]
    assert (method["rounds"], method["initial_noise"]) == (ROUNDS, "measured")


def test_settings_without_automatic_rounds_are_left_alone():
    settings = {"rounds": [{"mask_ratio": 0.5}], "extraction": {"num_masks": 3}}
    assert unfold(settings) == settings
    assert unfold({}) == {}
    before = {"rounds": "auto", "extraction": {"num_masks": 3}}
    assert unfold(before)["extraction"] == {"brightness": "auto", "num_masks": 3}
    assert before == {"rounds": "auto", "extraction": {"num_masks": 3}}


def test_rounds_of_older_configs_have_no_new_settings(planned):
    rounds = [{"mask_ratio": r} for r in (0.8, 0.7, [0.5, 0.7])]
    explicit = {"extraction": {"brightness": "predicted"}}
    found = planned({"mid": {}, "said": explicit}, rounds=rounds)
    for variant in ("mid", "said"):
        first, *others = found.rounds[variant]
        assert first.extract == {
            "initial_noise": "awgn",
            "sigma": [5, 50],
            "count": 3,
            "size": 17,
            "seed": 0,
        }
        for one in others:
            assert one.extract.keys() == EXTRACT
        for one in (first, *others):
            assert one.train.keys() == TRAIN
            assert one.train["masking"].keys() == {
                "mask_ratio",
                "per",
                "fill",
                "as_input",
            }
    assert found.owner("model", "said", 2) == "mid"


def test_a_teacher_of_an_older_config_gives_no_new_settings(planned):
    student = {
        "initial_noise": "teacher",
        "teacher": {"variant": "mid"},
        "rounds": [{"mask_ratio": 0}],
    }
    found = planned({"mid": {}, "student": student})
    (one,) = found.rounds["student"]
    assert one.extract.keys() == {
        "initial_noise",
        "pool",
        "targets",
        "num_masks",
        "seed",
    }
    assert one.train.keys() == TRAIN | {"recharge"}


@pytest.mark.parametrize("brightness", ["developed", "auto"])
def test_another_brightness_is_a_setting_of_what_is_extracted(brightness, planned):
    found = planned(
        {
            "mid": {},
            "other": {"extraction": {"brightness": brightness}},
            "last": {
                "rounds": [
                    {"mask_ratio": 0.8},
                    {"mask_ratio": 0.3, "extraction": {"brightness": brightness}},
                ]
            },
        }
    )
    one = found.rounds["other"][1].extract
    assert one.keys() == EXTRACT | {"brightness"}
    assert one["brightness"] == brightness
    # White noise has no brightness that could be put right.
    assert [found.owner("model", "other", k) for k in (0, 1)] == ["mid", "other"]
    assert found.owner("bank", "last", 1) == "other"


def test_the_bank_of_a_taught_round_is_its_targets(planned):
    rounds = [
        {"mask_ratio": 0.8},
        {"mask_ratio": 0.3},
        {"mask_ratio": 0, "taught": True},
        {"mask_ratio": 0.2},
    ]
    found = planned({"mid": {}, "auto": {"rounds": "auto"}}, rounds=rounds)
    folder = "results/tiny"
    assert [
        found.bank("mid", k).removeprefix(f"{folder}/mid/") for k in range(1, 4)
    ] == [
        "round_1/noise.manifest.json",
        "round_2/targets.manifest.json",
        "round_3/noise.manifest.json",
    ]
    assert found.bank("auto", 0) == (
        f"{folder}/measured/noisy_3x17px_seed_0/noise.manifest.json"
    )
    # Lessons are no noise.
    assert list(found.noise_banks("mid")) == ["N_0", "N_1", "N_3"]
    assert found.noise_banks("auto") == {"N_0": found.bank("auto", 0)}
    assert found.maker("mid", 2) == ("mid", 1)
    assert found.rounds_behind("mid", 0) == 3
    assert found.choice("auto") == f"{folder}/auto/round_0/choice.json"
    assert found.look("noisy") == f"{folder}/data/noisy/look.json"


def test_white_noise_of_measured_level_is_a_bank_of_its_own(planned):
    awgn = CONFIG["method"]["awgn"]
    found = planned(
        {
            "mid": {},
            "white": {"awgn": {"sigma": "auto"}},
            "correlated": {"initial_noise": "measured"},
            # Measured noise has no standard deviation to be set.
            "same": {"initial_noise": "measured", "awgn": {"sigma": [1, 2]}},
        }
    )
    banks = {variant: found.bank(variant, 0) for variant in found.rounds}
    assert banks == {
        "mid": "results/tiny/awgn/sigma_5-50_3x17px_seed_0/noise.manifest.json",
        "white": "results/tiny/measured/noisy_white_3x17px_seed_0/noise.manifest.json",
        "correlated": "results/tiny/measured/noisy_3x17px_seed_0/noise.manifest.json",
        "same": "results/tiny/measured/noisy_3x17px_seed_0/noise.manifest.json",
    }
    assert found.awgn().keys() == {"sigma_5-50_3x17px_seed_0"}
    measured = found.measured()
    assert measured.keys() == {"noisy_white_3x17px_seed_0", "noisy_3x17px_seed_0"}
    settings = {"pool": "noisy", "count": 3, "size": 17, "seed": 0}
    assert measured["noisy_white_3x17px_seed_0"] == settings | {"initial_noise": "awgn"}
    assert measured["noisy_3x17px_seed_0"] == settings | {"initial_noise": "measured"}
    assert found.owner("model", "same", 0) == "correlated"
    assert found.owner("model", "white", 0) == "white"
    assert awgn == {"count": 3, "size": 17}


def test_no_bank_is_measured_where_none_is_asked_for(planned):
    assert planned().measured() == {}
    assert planned(rounds="auto").awgn() == {}


def test_measured_noise_needs_the_noisy_images(planned):
    """Even without a second round, in which they would be needed anyway."""
    one = [{"mask_ratio": 0.5}]

    def needed(**method):
        found = planned(rounds=one, evaluation={}, **method)
        return {need["pool"]: need["pixels"] for need in found.needs()}

    # As a test, an image needs no more than a window of SSIM.
    assert needed() == {"clean": 16, "noisy": 11}
    assert needed(initial_noise="measured") == {"clean": 16, "noisy": 16}
    found = planned(rounds="auto")
    assert {n["pool"] for n in found.needs()} == {"clean", "noisy"}
    assert found.pools() == ["clean", "noisy"]
    assert found.stacks("noisy") == ["image", "truth"]


def test_changes_to_the_training_reach_taught_rounds_alone(planned):
    rounds = [*ROUNDS, {"mask_ratio": 0, "taught": True, "training": {"loss": "mse"}}]
    taught = {"training": {"iterations": 9, "loss": "charbonnier"}}
    found = planned(rounds=rounds, taught=taught)
    training = [one.train["training"] for one in found.rounds["mid"]]
    assert [one["iterations"] for one in training] == [4, 9, 9]
    # The round itself has the last word.
    assert [one["loss"] for one in training] == ["mse", "charbonnier", "mse"]
    assert [one["batch_size"] for one in training] == [2, 2, 2]
    assert [one["ema_decay"] for one in training] == [0.999] * 3
    assert training[0] == planned(rounds=rounds).rounds["mid"][0].train["training"]


def test_variants_may_teach_in_another_way(planned):
    taught = {"targets": 2, "clean_share": 0, "training": {"iterations": 9}}
    found = planned({"mid": {}, "other": {"taught": taught}}, rounds="auto")
    own, other = (found.rounds[v][1] for v in ("mid", "other"))
    assert (own.extract["targets"], other.extract["targets"]) == (4, 2)
    # Without clean images they are no part of the settings.
    assert not {"clean", "clean_share"} & other.train.keys()
    assert [one.train["training"]["iterations"] for one in (own, other)] == [4, 9]
    assert found.owner("model", "other", 0) == "mid"
    assert found.owner("bank", "other", 1) == "other"


def test_gpus_of_a_taught_round_are_no_settings(planned):
    taught = {"training": {"gpus": 2}}
    found = planned({"mid": {}, "fast": {"taught": taught}}, rounds="auto")
    assert [found.gpus("fast", k) for k in (0, 1)] == [1, 2]
    assert found.rounds["fast"] == found.rounds["mid"]


WRONG = [
    (
        {"rounds": [{"mask_ratio": 0.8}, {"mask_ratio": "auto"}]},
        "rounds.1.mask_ratio cannot be auto: only that of round 0 is chosen by trials",
    ),
    (
        {"rounds": [{"mask_ratio": 0, "taught": True}]},
        "rounds.0.taught has no round before it that could teach",
    ),
    (
        {"rounds": "auto", "awgn": {"count": 3, "size": 15}},
        "awgn.size 15 is smaller than training.patch_size 16",
    ),
    (
        {"rounds": "auto", "taught": {"training": {"batch_size": 3, "gpus": 2}}},
        "training.batch_size 3 of round 1 cannot be cut into gpus 2",
    ),
]


@pytest.mark.parametrize(("method", "message"), WRONG)
@pytest.mark.parametrize("where", ["method", "variant"])
def test_automatic_settings_that_cannot_be_are_refused(method, message, where, planned):
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        planned(**method) if where == "method" else planned({"mid": method})
    assert "variant 'mid'" in str(caught.value)


MISSPELT = [
    (
        {"taught": {"training": {"iterashons": 3}}},
        "taught.training.iterashons",
        "ions'",
    ),
    ({"taught": {"target": 3}}, "taught.target", "did you mean 'targets'"),
    (
        {"trials": {"mask_ratio": [0]}},
        "trials.mask_ratio",
        "did you mean 'mask_ratios'",
    ),
    ({"taught": {"clean_share": 2}}, "taught.clean_share", "2 is greater than"),
    (
        {"extraction": {"brightness": "kept"}},
        "extraction.brightness",
        "cannot be 'kept'",
    ),
    ({"trials": {"mask_ratios": [0, 1]}}, "trials.mask_ratios.1", "1 is greater than"),
]


@pytest.mark.parametrize(("method", "key", "message"), MISSPELT)
@pytest.mark.parametrize("where", ["method", "variant"])
def test_a_mistake_in_new_sections_is_named_by_its_key(
    method, key, message, where, planned
):
    with pytest.raises(ConfigError) as caught:
        planned(**method) if where == "method" else planned({"mid": method})
    place = "method" if where == "method" else "variants.mid"
    assert f"'{place}.{key}'" in str(caught.value)
    assert message in str(caught.value)
    assert "c.yaml, line " in str(caught.value)


@pytest.mark.parametrize("wrong", ["automatic", [], "0.5"])
def test_rounds_are_a_list_or_auto(wrong, planned):
    with pytest.raises(ConfigError, match=r"method\.rounds"):
        planned(rounds=wrong)


@pytest.mark.parametrize("wrong", ["low", [5], [5, "auto"]])
def test_a_level_is_a_range_or_auto(wrong, planned):
    with pytest.raises(ConfigError, match=r"method\.awgn\.sigma"):
        planned(awgn={"sigma": wrong})


def test_a_config_without_variants_is_still_refused(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(CONFIG | {"variants": {}}))
    with pytest.raises(ConfigError, match="variants: at least one is needed"):
        Plan(load_config([path], {}))


@pytest.mark.parametrize("first", ["auto", [{"mask_ratio": "auto"}]])
def test_no_ratio_is_tried_where_a_teacher_is_first(first, planned):
    """Trials add noise to clean images, which a taught first round does not have."""
    student = {
        "initial_noise": "teacher",
        "teacher": {"variant": "mid"},
        "rounds": first,
    }
    with pytest.raises(ConfigError, match=r"variant 'student': .*mask_ratio.*auto"):
        planned({"mid": {}, "student": student})


def test_no_image_is_held_out_of_a_taught_round(planned):
    with pytest.raises(ConfigError, match="take held_out away"):
        planned(rounds="auto", held_out={"pool": "noisy"})


def test_the_papers_tables_may_have_automatic_rounds(tmp_path):
    paper = {"variant": "mid", "mask_ratios": [0.5]}
    paper |= {"distilled": {"network": {"name": "unet", "width": 8, "depth": 2}}}
    config = changed(rounds="auto") | {"variants": {"mid": {}}, "paper": paper}
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(config))
    methods = Plan(load_config([path], {})).methods
    assert methods["unmasked"]["rounds"] == [
        {"mask_ratio": 0},
        {"mask_ratio": 0, "taught": True},
    ]
    assert methods["ratio_50"]["rounds"] == [{"mask_ratio": 0.5}]
    assert methods["ceiling"]["initial_noise"] == "true_noise"
    assert methods["distilled"]["rounds"] == [{"mask_ratio": 0}]
