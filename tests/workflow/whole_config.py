"""A config that has all parts at once, and ways to change a key of it."""

import copy

from tests.running import CONFIG
from tests.small_networks import OTHERS, small

SMALL = {"name": "dncnn", "width": 8, "depth": 3}
RATIO = [{"mask_ratio": 0.5}]
# All parts of a config at once, so that there is a job for every key.
WHOLE = CONFIG | {
    "pools": CONFIG["pools"]
    | {
        "camera": {"reader": "camera", "part": "test"},
        "half": {"reader": "polyu", "path": "polyu", "part": "clean", "split": {}},
        "sent": {"reader": "sidd_blocks", "path": "sidd", "part": "benchmark"},
        "other": {"reader": "sidd_blocks", "path": "more", "part": "benchmark"},
    },
    "tests": ["noisy", "camera"],
    "tables": {},
    # With masks of zeros no network could be centred.
    "method": CONFIG["method"] | {"mask": {"fill": "mean"}, "trials": {}},
    "variants": {
        "mid": {},
        "four": {"rounds": [{"mask_ratio": r} for r in (0.75, 0.7, 0.6, 0.5)]},
        "no_mask": {"rounds": [{"mask_ratio": 0}]},
        "true_noise": {"initial_noise": "true_noise", "rounds": [{"mask_ratio": 0}]},
        **{name: {"network": small(name), "rounds": RATIO} for name in OTHERS},
        "taught": {
            "initial_noise": "teacher",
            "teacher": {"variant": "mid", "targets": 3},
            "rounds": [{"mask_ratio": 0}],
        },
        "watched": {
            "held_out": {"pool": "noisy"},
            "rounds": RATIO,
            "evaluation": {},
        },
        "divided": {"clean": "half", "rounds": RATIO},
        "automatic": {"rounds": "auto", "taught": {}},
    },
    "submissions": {"blocks": {"pool": "sent", "format": "sidd_csv"}},
    "compared": {
        "nlm": {},
        # Each network that MID has no use for; the first teaches two others as well.
        "at_bsn": {"network": small("shifted_unet")},
        "at_bsn_distilled": {
            "stages": {
                "teacher": {"network": small("shifted_unet")},
                "student": {"network": small("skip_unet") | {"ending": "n2n"}},
            }
        },
        "sasl": {
            "stages": {
                "teacher": {"network": small("shifted_unet")},
                "local": {"network": small("blind_pair")},
            }
        },
        "tm_bsn": {"network": small("triangular")},
        "ap_bsn": {"network": small("dbsn")},
        "wu": {"stages": {"mean": {"network": small("dbsn_noise")}}},
        "c2n": {"stages": {"generator": {"network": small("noise_generator")}}},
        "vdn": {"pairs": "noisy", "network": small("variational_unet")},
        "pn2v": {
            "stages": {
                "noise2void": {"network": {"width": 4}},
                "samples": {"network": small("sampled_unet")},
            }
        },
        "laine": {"network": small("blind_gaussian")},
        "c_bsn": {"network": small("c_bsn")},
        "lg_bpn": {"network": small("lg_bpn")},
        "cvf_sid": {"network": small("cvf_sid")},
        "supervised": {"method": "dncnn", "pairs": "noisy", "network": SMALL},
        "on_white": {"method": "dncnn_white", "network": SMALL},
        "published": {"weights": "published.pth", "note": "on SIDD"},
    },
    "paper": {
        "variant": "mid",
        "networks": {"small": SMALL},
        "num_masks": [1, 2],
        "mask_ratios": [0, 0.5],
        "distilled": {"network": {"name": "unet", "width": 8, "depth": 2}},
        "inpainting": {"mask_ratios": [0.5]},
    },
}
# Where the keys of a part of the schema are changed.
PLACES = {
    "training": "method.training",
    "extraction": "method.extraction",
    "gate": "method.gate",
    "network": "variants.unet.network",
    "nafnet": "method.network",
    **{name: f"variants.{name}.network" for name in OTHERS},
    "shifted_unet": "compared.at_bsn.network",
    "skip_unet": "compared.at_bsn_distilled.stages.student.network",
    "blind_pair": "compared.sasl.stages.local.network",
    "triangular": "compared.tm_bsn.network",
    "dbsn": "compared.ap_bsn.network",
    "dbsn_noise": "compared.wu.stages.mean.network",
    "noise_generator": "compared.c2n.stages.generator.network",
    "variational_unet": "compared.vdn.network",
    "sampled_unet": "compared.pn2v.stages.samples.network",
    "blind_gaussian": "compared.laine.network",
    "c_bsn": "compared.c_bsn.network",
    "lg_bpn": "compared.lg_bpn.network",
    "cvf_sid": "compared.cvf_sid.network",
    "round": "variants.four.rounds.2",
    "taught": "variants.automatic.taught",
    "method.teacher": "variants.taught.teacher",
    "method.held_out": "variants.watched.held_out",
    "folders": "pools.clean",
    "folders.truth": "pools.noisy.truth",
    "camera": "pools.camera",
    "split": "pools.half.split",
    "submission": "submissions.blocks",
}


def value_at(config: dict, path: str) -> object:
    """What a config has at a dotted path."""
    for key in filter(None, path.split(".")):
        config = config[int(key) if isinstance(config, list) else key]
    return config


def place(site: str) -> str:
    """The path in `WHOLE` of a key that is named by its place in the schema."""
    part = max((p for p in PLACES if site.startswith(f"{p}.")), key=len, default="")
    return PLACES[part] + site.removeprefix(part) if part else site


def with_changes(changes: dict) -> dict:
    """The whole config with other values."""
    config = copy.deepcopy(WHOLE)
    for site, value in changes.items():
        folder, _, key = place(site).rpartition(".")
        value_at(config, folder)[key] = value
    return config
