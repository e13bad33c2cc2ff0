"""The memory that each rule asks for, on the first attempt of its jobs."""

from collections.abc import Mapping
from typing import Any

MEMORY_MB = {
    "ingest": 8000,
    "look": 8000,
    "true_noise": 4000,
    "extract_noise": 16000,
    "distillation_targets": 16000,
    "evaluate": 16000,
    "denoise_pool": 16000,
    "bundle_submission": 8000,
    "plot_crops": 8000,
    "plot_inpainted": 8000,
    "evaluate_baseline": 8000,
    "compare_images": 16000,
    "judge": 8000,
    "measure_cost": 8000,
    "measure_realism": 8000,
}
OTHERS_MB = 2000


def memory_mb(rule: str, config: Mapping[str, Any]) -> int:
    """Return what a rule's jobs ask for, in MB; those of several processes, for each.

    Parameters
    ----------
    rule
        Its name.
    config
        As ``load_config`` returns it.
    """
    if rule == "train_round":
        # Each pool may be held in memory: two of them; a taught round trains on three.
        pools = 3 if _has_taught_rounds(config) else 2
        return int(1000 * pools * config["runtime"]["memory_gb"]) + 8000
    return MEMORY_MB.get(rule, OTHERS_MB)


def _has_taught_rounds(config: Mapping[str, Any]) -> bool:
    variants = config["variants"].values()
    return any(one.get("taught") for method in variants for one in method["rounds"])
