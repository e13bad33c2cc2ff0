"""A mistake in the config stops with its key, its line, and what to do."""

import re
from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from mid_config.checking import FOLDERS
from mid_config.errors import ConfigError
from mid_config.loading import load_config
from mid_config.plan import Plan

ROOT = Path(__file__).parents[2]
DEMO = (ROOT / "config/config.yaml").read_text()


def plan(text, tmp_path, **overrides):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return Plan(load_config([path], overrides))


def line_of(text, part):
    return next(i for i, line in enumerate(text.splitlines(), 1) if part in line)


WRONG = [
    (
        "iterations:",
        "iteration:",
        r"method.training.iteration.*did you mean 'iterations'",
    ),
    (
        "learning_rate: 2e-3",
        "learning_rate: fast",
        r"learning_rate.*number, not 'fast'",
    ),
    ("- mask_ratio: 0.3", "- mask_ratio: 3", r"method.rounds.1.mask_ratio"),
    ("- mask_ratio: 0.8", "- mask_rato: 0.8", r"mask_rato.*did you mean 'mask_ratio'"),
    ("loss: mse", "loss: msee", r"method.training.loss.*did you mean 'mse'"),
    ("part: clean,", "prt: clean,", r"pools.clean.prt.*did you mean 'part'"),
    (
        "reader: camera, part: noisy",
        "reader: camra, part: noisy",
        r"did you mean 'camera'",
    ),
    (
        "batch_size: 4",
        "batch: 4",
        r"'method.training.batch' is called 'batch_size' now",
    ),
    ("loss: mse", "loss: mse\n    batch_size: 9", r"'batch_size' is given twice"),
    ("device: auto", "device: gpu", r"runtime.device"),
    ("no_mask: {rounds", "no_mask: {round", r"no_mask.round'.*did you mean 'rounds'"),
    ("size: 128", "size: 1.5", r"method.awgn.size.*integer, not 1.5"),
    (
        "pixel_unshuffle: 2",
        "pixel_unshuffle: two",
        r"method.network.pixel_unshuffle.*integer, not 'two'",
    ),
    ("dataset: demo", "dataset: ../x", r"'dataset' cannot be '../x': a name must"),
    ("masked: {}", "masked: [", r"expected"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), WRONG)
def test_a_mistake_is_named_with_its_line(right, wrong, message, tmp_path):
    assert right in DEMO
    text = DEMO.replace(right, wrong, 1)
    with pytest.raises(ConfigError, match=message) as caught:
        plan(text, tmp_path)
    if message != "expected":
        line = line_of(text, wrong.splitlines()[-1].strip())
        assert f"c.yaml, line {line}:" in str(caught.value)


MEANINGLESS = [
    ("tests: [test]", "tests: [clean]", "'clean' must be a pool with a truth"),
    ("noisy: noisy ", "noisy: other ", "names the pool 'other', which is not under"),
    ("encoder: [1, 1]", "encoder: [1]", "must be lists of one length"),
    ("fill: mean", "fill: 0", "network.centred .* value 0 .* set mask.fill to mean"),
    ("- mask_ratio: 0.8", "- mask_ratio: [0.8, 0.5]", r"must be \[low, high\]"),
    ("size: 128", "size: 16", "awgn.size 16 is smaller than training.patch_size 32"),
    ("no_mask: {", "data: {", "would be results/<dataset>/data of the workflow"),
    # Some disks do not tell one case from the other.
    ("no_mask: {", "Data: {", "would be results/<dataset>/data of the workflow"),
    ("no_mask: {", "MID: {", "variants.MID: its folder would be that of 'mid'"),
    (
        "  clean: {",
        "  Clean: {reader: camera, part: clean}\n  clean: {",
        "pools.clean: its folder would be that of 'Clean'",
    ),
    (
        "# gpus: 1 ",
        "gpus: 3 ",
        "batch_size 4 of round 0 cannot be cut into gpus 3 x gradient_accumulation 1 equal parts",
    ),
    ("variant: mid", "variant: mod", "'mod' is asked for by a table or figure"),
    (
        "part: noisy, shots: 4, seed: 0, crop: 512",
        "part: clean",
        "needs the truth of pool 'noisy'",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "message"), MEANINGLESS)
def test_what_a_schema_cannot_see_is_refused_too(right, wrong, message, tmp_path):
    assert right in DEMO
    with pytest.raises(ConfigError, match=message):
        plan(DEMO.replace(right, wrong, 1), tmp_path)


@pytest.mark.parametrize(
    "named_badly",
    [
        ("no_mask: {rounds: [", "mid_0: {rounds: [{mask_ratio: 0}, "),
        ("\ncompared:", "\ncompared:\n  mid_0: {method: dncnn_white}"),
    ],
)
def test_two_jobs_never_share_a_log(named_badly, tmp_path):
    text = DEMO.replace(*named_badly, 1).replace("[mid, no_mask,", "[mid,")
    assert plan(text, tmp_path).rounds["mid_0"]
    text = text.replace(
        "  test: {", "  0_test: {reader: camera, part: clean}\n  test: {"
    )
    message = "mid_0: its log on pool 'test' .* of 'mid' on pool '0_test'"
    with pytest.raises(ConfigError, match=message):
        plan(text, tmp_path)


def test_every_folder_of_the_rules_is_one_that_no_variant_can_have():
    text = "".join(file.read_text() for file in ROOT.glob("workflow/rules/*.smk"))
    folders = set(re.findall(r"results/\{+(?:plan\.)?dataset\}+/(\w+)/", text))
    assert folders | {"benchmarks", "logs"} == FOLDERS


def test_how_a_training_is_spread_is_no_setting_of_its_round(tmp_path):
    text = DEMO.replace("# gpus: 1 ", "gpus: 2 ", 1)
    text = text.replace("- mask_ratio: 0.3", "- {mask_ratio: 0.3, training: {gpus: 4}}")
    spread, plain = plan(text, tmp_path), plan(DEMO, tmp_path)
    assert spread.rounds == plain.rounds
    assert [spread.gpus("masked", k) for k in (0, 1)] == [2, 4]
    assert [plain.gpus("masked", k) for k in (0, "1")] == [1, 1]


def test_a_network_that_looks_at_whole_batches_is_not_spread():
    config = load_config([ROOT / "config/config.yaml"], {})
    config["variants"]["mid"]["network"]["norm"] = "batch"
    Plan(config)
    config["variants"]["mid"]["training"]["gradient_accumulation"] = 2
    with pytest.raises(ConfigError, match="norm batch looks at a whole batch"):
        Plan(config)


def test_numbers_are_numbers(tmp_path):
    text = DEMO.replace("learning_rate: 2e-3", "learning_rate: 1e-4", 1)
    found = plan(text, tmp_path).config["method"]["training"]["learning_rate"]
    assert found == 1e-4
    assert type(found) is float


def test_the_command_line_is_checked_and_wins(tmp_path):
    found = plan(DEMO, tmp_path, method={"seed": 3}).config["method"]
    assert found["seed"] == 3
    assert found["training"]["batch_size"] == 4
    with pytest.raises(ConfigError, match=r"method\.sed"):
        plan(DEMO, tmp_path, method={"sed": 3})


def test_defaults_are_the_papers():
    paper = load_config([ROOT / "config/sidd.yaml"], {})["method"]
    assert [one["mask_ratio"] for one in paper["rounds"]] == [0.8, 0.7, 0.7, [0.5, 0.7]]
    assert paper["training"]["iterations"] == 200_000
    assert paper["training"]["learning_rate"] == 4e-4
    assert paper["training"]["min_learning_rate"] == 1e-6
    assert paper["training"]["loss"] == "mse"
    assert paper["extraction"]["num_masks"] == 1
    assert paper["network"] == {
        "name": "nafnet",
        "width": 32,
        "encoder": [2, 2, 4, 8],
        "middle": 12,
        "decoder": [2, 2, 2, 2],
        "pixel_unshuffle": 1,
        "residual": True,
        "centred": False,
    }
    assert 10 in paper["evaluation"]["num_masks"]


CHOICES = ROOT / "config/choices.yaml"
MINUTES = ROOT / "config/minutes.yaml"
GPU = ROOT / "config/gpu.yaml"
# The comparison of real_noise.yaml on other cameras.
CAMERAS = {ROOT / f"config/{name}.yaml" for name in ("polyu", "fmd")}
OVER_OTHERS = {CHOICES, MINUTES, GPU, *CAMERAS}
SHIPPED = sorted(set((ROOT / "config").glob("*.yaml")) - OVER_OTHERS)


@pytest.mark.parametrize("over", [[], [CHOICES]], ids=["alone", "choices"])
@pytest.mark.parametrize("path", SHIPPED, ids=str)
def test_every_shipped_config_is_valid(path, over):
    found = Plan(load_config([path, *over], {}))
    assert ("paper_test_50" in found.rounds) == bool(over)


@pytest.mark.parametrize("over", sorted(CAMERAS), ids=lambda path: path.stem)
def test_other_cameras_get_the_methods_of_the_comparison(over):
    base = ROOT / "config/real_noise.yaml"
    own, others = (Plan(load_config([base, *more], {})) for more in ([], [over]))
    assert others.dataset == over.stem != own.dataset
    assert others.compared.keys() == own.compared.keys()


def test_on_a_gpu_every_training_is_of_the_published_network():
    found = Plan(load_config([ROOT / "config/real_noise.yaml", GPU], {}))
    for variant in ("auto", "no_mask", "true_noise"):
        for one in found.rounds[variant]:
            blocks = [one.train["network"][key] for key in ("encoder", "middle")]
            assert blocks == [[2, 2, 4, 8], 12]
            assert one.train["training"]["patch_size"] == 128


def test_minutes_share_the_rounds_of_the_table():
    found = Plan(load_config([ROOT / "config/real_noise.yaml", MINUTES], {}))
    assert found.table_rounds()[0] == ("mid", 0)
    assert found.owner("model", "steps_500", 0) == "steps_500"


SHARED_ROUNDS = """
mid: {rounds: [{mask_ratio: 0.8}, {mask_ratio: 0.3}]}
longer: {rounds: [{mask_ratio: 0.8}, {mask_ratio: 0.3}, {mask_ratio: 0.3}]}
other_last: {rounds: [{mask_ratio: 0.8}, {mask_ratio: 0.5}]}
other_first: {rounds: [{mask_ratio: 0.7}, {mask_ratio: 0.3}]}
one_mask: {extraction: {num_masks: 1}}
more_k: {evaluation: {num_masks: [1, 20]}}
"""


def plan_of(variants, tmp_path):
    """Plan the demo with other variants, without the tables, which name its own."""
    before, after = DEMO[: DEMO.index("variants:")], DEMO[DEMO.index("runtime:") :]
    indented = variants.replace("\n", "\n  ")
    return plan(f"{before}variants:{indented}\n{after}", tmp_path)


@pytest.fixture
def shared_plan(tmp_path):
    return plan_of(SHARED_ROUNDS, tmp_path)


def test_equal_rounds_are_one(shared_plan):
    def owners(kind, variant):
        count = len(shared_plan.rounds[variant])
        return [shared_plan.owner(kind, variant, k) for k in range(count)]

    assert owners("model", "longer") == ["mid", "mid", "longer"]
    assert owners("bank", "longer") == ["mid", "mid", "longer"]
    assert owners("model", "other_last") == ["mid", "other_last"]
    assert owners("bank", "other_last") == ["mid", "mid"]
    assert owners("model", "other_first") == ["other_first", "other_first"]
    assert owners("bank", "other_first") == ["mid", "other_first"]
    assert owners("model", "one_mask") == ["mid", "one_mask"]
    assert owners("model", "more_k") == ["mid", "mid"]
    assert owners("scores", "more_k") == ["more_k", "more_k"]


def test_a_hundred_rounds_are_planned(tmp_path):
    rounds = ", ".join(["{mask_ratio: 0.5}"] * 100)
    variants = f"\nmid: {{rounds: [{rounds}]}}\nother: {{rounds: [{rounds}]}}"
    found = plan_of(variants, tmp_path)
    assert found.owner("model", "other", 99) == "mid"
    assert found.rounds_behind("mid", 0) == 99


def test_paths_lead_to_the_owner(shared_plan):
    assert shared_plan.model("longer", 1) == "results/demo/mid/round_1/model.json"
    assert shared_plan.bank("other_last", 1) == (
        "results/demo/mid/round_1/noise.manifest.json"
    )
    assert shared_plan.bank("mid", 0) == (
        "results/demo/awgn/sigma_5-50_256x128px_seed_0/noise.manifest.json"
    )


def test_the_longest_chain_of_rounds_is_known(shared_plan):
    # mid's rounds are the first two of `longer`.
    assert [shared_plan.rounds_behind("mid", k) for k in (0, 1)] == [2, 1]
    assert shared_plan.rounds_behind("longer", 2) == 0
    assert shared_plan.rounds_behind("other_first", 0) == 1
    assert shared_plan.rounds_behind("other_last", 1) == 0


def test_extraction_uses_the_ratio_of_the_round_before(shared_plan):
    assert shared_plan.rounds["mid"][1].extract["masking"]["mask_ratio"] == 0.8
    assert shared_plan.rounds["longer"][2].extract["masking"]["mask_ratio"] == 0.3


def test_without_hidden_pixels_one_prediction_is_scored(tmp_path):
    rounds = plan(DEMO, tmp_path).rounds
    assert rounds["no_mask"][0].evaluate["num_masks"] == [1]
    assert rounds["mid"][0].evaluate["num_masks"] == [1, 10]


# What people write into a config file, and what is said of it.
NO_TEXT = [
    (b"dataset: a\n1: 2\n", "'config' has the key 1, but keys are names"),
    (
        b"dataset: a\nmethod:\n  training: {learning_rate: 1,0e-3}\n",
        r"line 3: 'method.training' has the key 0.0, .* write decimal numbers with a po",
    ),
    ("dataset: a\n".encode("utf-16"), "line 1: this is not UTF-8"),
    ("dataset: a\n# Größe\n".encode("latin-1"), "line 2: this is not UTF-8"),
    (None, "cannot be read: Is a directory"),
]


@pytest.mark.parametrize(("content", "message"), NO_TEXT)
def test_what_is_no_text_ends_in_a_sentence(content, message, tmp_path):
    path = tmp_path / "c.yaml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_config([path], {})


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    assert plan("\ufeff" + DEMO, tmp_path).dataset == "demo"


@pytest.fixture
def over(tmp_path):
    """Return a function that plans the demo with a second file over it."""

    def planned(second, base=DEMO):
        paths = tmp_path / "c.yaml", tmp_path / "mine.yaml"
        for path, text in zip(paths, (base, second), strict=True):
            path.write_text(text)
        return Plan(load_config(paths, {}))

    return planned


def test_a_file_over_another_says_only_what_it_changes(over):
    paper = over("paper: {num_masks: [1, 3]}").config["paper"]
    assert paper["num_masks"] == [1, 3]
    assert paper["variant"] == "masked"
    pools = over("pools: {clean: {shots: 2}}").config["pools"]
    assert (pools["clean"]["part"], pools["clean"]["shots"]) == ("clean", 2)
    # Another reader has keys of its own: none of the former's are kept.
    pools = over("pools: {clean: {reader: folders, path: x}}").config["pools"]
    assert pools["clean"].keys() == {"reader", "path", "broken"}


def test_a_network_is_changed_by_key_whichever_it_is(over):
    base = "dataset: a\npools: {x: {reader: camera, part: clean}, "
    base += "y: {reader: camera, part: noisy}}\nmethod: {clean: x, noisy: y, "
    base += "network: {name: dncnn, width: 8}}\nvariants: {mid: {}}\n"
    both = "method: {network: {depth: 5}}\nvariants: {deep: {network: {depth: 7}}}"
    methods = over(both, base).methods
    assert [methods[v]["network"]["depth"] for v in ("mid", "deep")] == [5, 7]
    with pytest.raises(
        ConfigError, match=r"mine.yaml, line 1: 'method.network.encoder' is not a"
    ):
        over("method: {network: {encoder: [1]}}", base)


def test_null_switches_a_section_off(over):
    assert "ceiling" in over("dataset: other").methods
    config = over("paper: null\nsubmissions: null").config
    assert "paper" not in config
    assert config["submissions"] == {}
    assert over("paper: null").tests == ["test"]


def test_a_key_that_no_file_has_is_missed_in_all_of_them(over, tmp_path):
    with pytest.raises(ConfigError, match=r"c.yaml \+ .*mine.yaml: 'config' lacks"):
        over("tests: []", "dataset: a")
    with pytest.raises(
        ConfigError, match=r"mine.yaml, line 1: 'pools.b' lacks .*reader"
    ):
        over("pools: {b: {part: clean}}")


def test_text_stays_text_where_a_module_gives_the_config():
    read = load_config([ROOT / "config/real_noise.yaml"], {})["compared"]
    texts = YAML(typ="safe").load(ROOT / "config/real_noise.yaml")
    texts["method"]["training"]["learning_rate"] = "2e-3"
    given = load_config([], texts, "config of the module")
    assert given["compared"] == read
    assert given["compared"]["nlm_true"]["options"]["level"] == "true"
    assert given["method"]["training"]["learning_rate"] == 2e-3
    demo = load_config([], {**yaml.safe_load(DEMO), "compared": {"nlm": "null"}})
    assert "nlm" not in demo["compared"]
