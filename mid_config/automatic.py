"""What `auto` stands for in a config: rounds that suit the noise that is measured."""

from collections.abc import Mapping
from typing import Any

AUTO = "auto"
# The first learns from noise like the one that is seen; the last from what the first
# makes of the noisy images, and answers in one pass.
ROUNDS = ({"mask_ratio": AUTO}, {"mask_ratio": 0, "taught": True})


def unfold(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Write out ``rounds: auto`` in a method, or in changes to one.

    It brings ``initial_noise: measured`` and ``extraction.brightness: auto`` with it,
    where the settings do not say otherwise.
    """
    if settings.get("rounds") != AUTO:
        return dict(settings)
    extraction = {"brightness": AUTO} | settings.get("extraction", {})
    unfolded = {"initial_noise": "measured"} | dict(settings)
    rounds = [dict(one) for one in ROUNDS]
    return unfolded | {"extraction": extraction, "rounds": rounds}
