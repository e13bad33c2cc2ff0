"""Each key of the config: what it is changed to, and the jobs whose settings it is."""

from mid_config.registry import keys
from mid_config.schema import fill_defaults, read_schema
from tests.conftest import TINY
from tests.small_networks import OTHERS, small
from tests.workflow.whole_config import SMALL, WHOLE

SCHEMA = read_schema()


def other_network(settings: dict) -> dict:
    """Another value for every key of a network, by the keys' names."""
    name = settings["name"]
    known = fill_defaults(settings, SCHEMA["$defs"]["network"], SCHEMA)
    return {f"{name}.{k}": another(v, name, k) for k, v in known.items() if k != "name"}


def another(value: object, name: str, key: str) -> object:
    """Another value that a network's key may have."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, list):
        return [count + 1 for count in value]
    allowed = keys(f"networks/{name}")[key].get("enum")
    if allowed:
        return next(one for one in allowed if one != value)
    return 2 * value


def apart(*but: str) -> list[str]:
    """No job of a compared method, but for those of some."""
    return [f"!*/{name}_*" for name in WHOLE["compared"] if name not in but]


OTHER_NETWORKS = [f"!*/{name}_*" for name in (*OTHERS, "net_small", "distilled")]
EVERY_TRAINING = ["train_round/*", "choose_ratio/*"]
TRAIN = [*EVERY_TRAINING, *apart()]
NAFNET = [*TRAIN, *OTHER_NETWORKS]
MASK = [*TRAIN, "extract_noise/*", "evaluate/*", "denoise_pool/*"]
SEED = [*EVERY_TRAINING, "extract_noise/*", "evaluate/*", "denoise_pool/*"]
SEED += ["distillation_targets/*", "*_bank/*_seed_1"]
WHITE = [
    *EVERY_TRAINING,
    *apart("on_white"),
    "!*_[123]",
    "!*/true_noise_*",
    "!*/ceiling_*",
    "!*/taught_*",
]
WHITE += ["!*/distilled_*"]
HIDING = ["!*/no_mask_*", "!*/unmasked_*", "!*/true_noise_*", "!*/ceiling_*"]
HIDING += ["!*/taught_*", "!*/distilled_*", "!*/ratio_00_*", "!*/inpaint_*"]
HIDING += ["!*/automatic_1_*", *apart()]
CROPS = ["plot_crops", "plot_inpainted"]
SHOWN = ["plot_crops", "compare_images/*"]
BUNDLE = ["bundle_submission/*"]
TABLES = ["tabulate_rounds", "tabulate_paper/*", "tabulate_comparison"]
COMPARED = ["tabulate_comparison", "compare_images/methods"]
CLEAN = ["index_pool/clean_*", "ingest/clean_*"]
# What is changed in one dry run, and the jobs that name it among their settings: those
# that follow from them are found in the graph. "!" takes some back.
MATRIX = [
    (
        {
            "training.iterations": 5,
            "training.batch_size": 4,
            "training.learning_rate": 2e-3,
            "training.min_learning_rate": 1e-5,
            "training.max_grad_norm": 0.5,
            "training.ema_decay": 0.5,
            "training.precision": "bf16",
            "training.loss": "charbonnier",
            "method.clip": True,
        },
        TRAIN,
    ),
    ({"training.patch_size": 17}, [*TRAIN, "check_pools"]),
    ({"training.gpus": 2, "extraction.gpus": 2}, []),
    ({"training.gradient_accumulation": 2}, []),
    (other_network(TINY), NAFNET),
    (
        {k: v for name in OTHERS for k, v in other_network(small(name)).items()},
        [f"train_round/{name}_0" for name in OTHERS],
    ),
    ({"network.name": "dncnn"}, ["train_round/unet_0"]),
    ({"method.seed": 1}, SEED),
    (
        {
            "method.mask.per": "colour",
            "method.mask.fill": 0.5,
            "method.mask.as_input": True,
        },
        MASK,
    ),
    (
        {"method.awgn.sigma": [5, 40], "method.awgn.count": 4},
        [*WHITE, "awgn_bank/*_5-40_4x*", "measured_bank/*_4x*", "!*/inpaint_*"],
    ),
    (
        {"method.awgn.size": 18},
        [*WHITE, "*_bank/*_3x18px_*", "awgn_bank/*_1x18px_*"],
    ),
    ({"extraction.num_masks": 3}, ["extract_noise/*"]),
    (
        {"extraction.brightness": "developed"},
        ["extract_noise/*", "distillation_targets/*", "!*/automatic_*"],
    ),
    (
        {"extraction.brightness": "auto"},
        ["extract_noise/*", "distillation_targets/*", "!*/automatic_*"],
    ),
    (
        {"method.rounds.0.mask_ratio": 0.7},
        ["train_round/mid_0", "train_round/net_small_0", "extract_noise/mid_1"],
    ),
    (
        {"round.mask_ratio": 0.4},
        ["train_round/four_2", "extract_noise/four_3", "evaluate/four_2_*"],
    ),
    (
        {"variants.four.rounds.2.training": {"batch_size": 1}},
        ["train_round/four_2"],
    ),
    ({"variants.four.rounds.2.extraction": {"num_masks": 1}}, ["extract_noise/four_2"]),
    ({"method.evaluation.num_masks": [1, 3]}, ["evaluate/*", *HIDING, *SHOWN]),
    (
        {"method.evaluation.mask_ratio": 0.2},
        [
            *("evaluate/*", "denoise_pool/*", *SHOWN),
            *("!*/distilled_*", "!*/inpaint_*", *apart()),
        ],
    ),
    (
        {"method.evaluation.protocols": ["skimage"]},
        ["evaluate/*", "evaluate_baseline/*", "compare_images/*"],
    ),
    ({"variants.watched.evaluation.of": "truth"}, ["evaluate/watched_*"]),
    (
        {f"gate.{name}": 1 for name in ("mean", "leakage", "kurtosis", "clipped")}
        | {"gate.pinned": 1, "gate.zeros": 1, "gate.std": [0, 9]}
        | {"runtime.device": "auto", "runtime.threads": 2, "runtime.tile": 256}
        | {"runtime.memory_gb": 1, "runtime.save_minutes": 1, "runtime.skip_steps": 3}
        | {"runtime.max_seconds": 999, "runtime.report_every": 7}
        | {"runtime.compile": "always"}
        | {"runtime.check_disk_space": True},
        [],
    ),
    ({"figures.crops": 2}, [*CROPS, "compare_images/*"]),
    ({"figures.crop_px": 20}, [*CROPS, "plot_methods"]),
    (
        {f"submission.{name}": "x" for name in ("method_name", "authors", "paper")}
        | {"submission.venue": "x"},
        BUNDLE,
    ),
    (
        {"method.teacher.targets": 2, "method.teacher.num_masks": 2},
        ["distillation_targets/taught_0"],
    ),
    (
        {"method.teacher.recharge": 0.5, "method.teacher.clean_share": 0.2},
        ["train_round/taught_0"],
    ),
    ({"round.taught": True}, ["train_round/four_2", "distillation_targets/four_2"]),
    (
        {"taught.targets": 2, "taught.num_masks": 2},
        ["distillation_targets/automatic_1"],
    ),
    (
        {
            "taught.recharge": 0.5,
            "taught.clean_share": 0,
            "taught.training": {"batch_size": 1},
        },
        ["train_round/automatic_1"],
    ),
    (
        {
            "method.trials.mask_ratios": [0, 0.5],
            "method.trials.iterations": 3,
            "method.trials.images": 1,
        },
        ["choose_ratio/automatic_0", "train_round/automatic_0"],
    ),
    (
        {"method.held_out.crops": 2, "method.held_out.checks": 2},
        ["train_round/watched_0"],
    ),
    (
        {"folders.crop": 20, "folders.broken": "skip", "folders.pattern": "*.jpg"},
        CLEAN,
    ),
    ({"camera.seed": 1, "camera.shots": 2, "camera.crop": 32}, ["*/camera_*"]),
    ({"split.seed": 1, "split.by": "image", "split.share": 0.4}, ["*/half*"]),
    ({"folders.path": "more"}, CLEAN),
    ({"folders.truth.path": "more", "folders.truth.pattern": "c*.png"}, ["*/noisy_*"]),
    (
        {"variants.divided.clean": "clean"},
        # One pool less in the lineage, too.
        ["train_round/divided_0", "check_pools", "lineage_compare"],
    ),
    (
        {"variants.four.noisy": "camera"},
        ["extract_noise/four_[123]", "check_pools"],
    ),
    ({"variants.unet.initial_noise": "true_noise"}, ["train_round/unet_0"]),
    ({"method.teacher.variant": "four"}, ["distillation_targets/taught_0"]),
    ({"method.held_out.pool": "camera"}, ["train_round/watched_0", "check_pools"]),
    ({"tests": ["noisy"]}, [*TABLES, "check_pools"]),
    (
        {"tables.rounds": ["mid", "no_mask"]},
        [
            "tabulate_rounds",
            "judge",
            "plot_training",
            "plot_noise",
            "tabulate_paper/by_round",
        ],
    ),
    ({"figures.variant": "four"}, ["plot_crops", "plot_noise"]),
    ({"submission.format": "sidd_mat"}, BUNDLE),
    ({"submission.num_masks": 2}, ["denoise_pool/*_2", *BUNDLE]),
    ({"submission.variant": "four"}, ["denoise_pool/four_*", *BUNDLE]),
    (
        {"submission.pool": "other"},
        ["*/other_*", *BUNDLE, "denoise_pool/*_other_*", "check_pools"],
    ),
    (
        other_network(small("shifted_unet")),
        # It is the teacher of the two below, too: these have one of their own now.
        ["train_round/at_bsn_0", "train_round/at_bsn_distilled_0"],
    ),
    (
        {
            **other_network(small("skip_unet")),
            **other_network(small("blind_pair")),
            **other_network(small("triangular")),
            **other_network(small("dbsn")),
            **other_network(small("dbsn_noise")),
            **other_network(small("noise_generator")),
            **other_network(small("variational_unet")),
            **other_network(small("sampled_unet")),
            **other_network(small("blind_gaussian")),
            **other_network(small("c_bsn")),
            **other_network(small("lg_bpn")),
            **other_network(small("cvf_sid")),
            "compared.supervised.network": SMALL | {"norm": "none"},
        },
        [
            *("train_round/at_bsn_distilled_1", "train_round/sasl_1"),
            *("train_round/tm_bsn_0", "train_round/ap_bsn_0"),
            *("train_round/wu_0", "train_round/c2n_0"),
            *("train_round/vdn_0", "train_round/pn2v_2", "train_round/laine_0"),
            *("train_round/c_bsn_0", "train_round/lg_bpn_0", "train_round/cvf_sid_0"),
            "train_round/supervised_0",
        ],
    ),
    (
        {
            "compared.ap_bsn.training": {"iterations": 5},
            "compared.tm_bsn.noisy": "camera",
            "compared.on_white.clean": "half",
            "compared.supervised.pairs": "camera",
            "compared.sasl.stages": WHOLE["compared"]["sasl"]["stages"]
            | {"unet": {"options": {"hole": 7}}},
        },
        [
            *("train_round/ap_bsn_0", "train_round/tm_bsn_0"),
            *("train_round/on_white_0", "train_round/supervised_0"),
            "train_round/sasl_2",
        ],
    ),
    (
        {"compared.at_bsn_distilled.seed": 1},
        ["train_round/at_bsn_distilled_*", "evaluate/at_bsn_distilled_*"],
    ),
    ({"compared.nlm.method": "bm3d"}, ["evaluate_baseline/nlm_*", *COMPARED]),
    (
        {"compared.nlm.options": {"level": "white"}},
        ["evaluate_baseline/nlm_*", *COMPARED],
    ),
    ({"compared.sasl.label": "x"}, COMPARED),
    ({"compared.published.note": "x"}, ["tabulate_comparison"]),
    ({"compared.published.family": "unpaired"}, ["tabulate_comparison"]),
    ({"compared.published.weights": "other.pth"}, ["take_weights/published_0"]),
    ({"compared.extra": {"method": "noise2void"}}, ["*/extra_*", *COMPARED]),
    ({"paper.compared": ["four"]}, ["tabulate_comparison", "measure_cost/four_3"]),
    (
        {"paper.networks": {"large": SMALL}},
        ["*/net_large_*", "tabulate_paper/networks"],
    ),
    ({"paper.num_masks": [1, 3]}, ["evaluate/ensemble_1_*", "tabulate_paper/ensemble"]),
    ({"paper.mask_ratios": [0, 0.6]}, ["*/ratio_60_*", "tabulate_paper/ratios"]),
    ({"paper.choices": ["no_mask"]}, ["tabulate_paper/choices"]),
    (
        {"paper.distilled.targets": 2, "paper.distilled.num_masks": 2},
        ["distillation_targets/distilled_0"],
    ),
    (
        {
            "paper.distilled.recharge": 0.5,
            "paper.distilled.training": {"batch_size": 1},
        },
        ["train_round/distilled_0"],
    ),
    ({"paper.distilled.network": SMALL}, ["train_round/distilled_0"]),
    (
        {
            "paper.inpainting.crops": 2,
            "paper.inpainting.checks": 2,
            "paper.inpainting.training": {"batch_size": 1},
        },
        ["train_round/inpaint_50_0"],
    ),
    (
        {"paper.inpainting.mask_ratios": [0.5, 0.9]},
        ["*/inpaint_90_*", "tabulate_paper/inpainting"],
    ),
    (
        {"variants.extra": {"rounds": [{"mask_ratio": 0.4}]}},
        ["*/extra_*", "tabulate_rounds", "judge", "plot_training"],
    ),
    ({"pools.extra": {"reader": "folders", "path": "more"}}, []),
    (
        {"submissions.extra": {"pool": "sent", "format": "sidd_mat"}},
        ["bundle_submission/extra"],
    ),
    ({"paper.seeds": [7]}, ["*seed_7*", *TABLES, "!tabulate_rounds"]),
]
# Keys that no row changes, and why.
EXEMPT = {
    "dataset": "another folder of results",
    "pool.reader": "another reader has other keys",
    "method.rounds": "its items are keys, and tried; auto: test_automatic.py",
    "overrides.*": "merged over the method before anything else reads it",
    "paper.variant": "other tables; test_paper.py says which",
    "sidd.*": "a pool's settings go to its jobs as a whole, as those of `folders` do",
    "sidd_blocks.*": "likewise",
    "dnd.*": "likewise",
    "polyu.*": "likewise; its split is tried",
    "cc.*": "likewise",
    "fmd.*": "likewise",
    "imagenet.*": "likewise",
    "camera.part": "the pool becomes another one: it may have no truth",
}
