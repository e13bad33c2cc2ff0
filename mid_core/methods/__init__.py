"""The compared methods: a file each, and this table from name to method.

A file says in plain text what a config and a dry run have to know, and its classes do
the work:

``LABEL``, ``FAMILY``
    What tables call the method, and its kind: one of ``tables.published.CATEGORIES``.
``STAGES``
    Its trainings, one after another, as YAML: for each what it ``sees`` (``noisy``,
    ``clean``, ``white`` noise, ``pairs``, and ``before``: the network of the stage
    before), the class ``does`` the work (``file.Class``, a ``Stage``), ``options`` of
    that class, ``network`` and ``training``, whose defaults are the paper's; and
    perhaps an ``answer``: how the network is used (``file.Class``, an ``Answer``). A
    training that is another method's is named, as ``at_bsn.teacher``. ``version`` may
    be raised where the numbers of a training change.
``OPTIONS``
    Instead of stages: of a method without training, whose function ``denoise`` takes
    them. ``QUICK`` are changes to them for the small configs and ``mid denoise``,
    ``LEVELS`` what its ``level`` may be, if that is more than ``levels.NUMBERS``.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import nn

    from mid_core.methods.answer import Answer
    from mid_core.methods.stage import Stage

# mid_config reads this, and each file's constants.
METHODS = (
    "nlm",
    "bm3d",
    "ksvd",
    "orthogonal_dictionary",
    "lpg_pca",
    "wnnm",
    "twsc",
    "dncnn_white",
    "dncnn",
    "restormer",
    "nafnet",
    "vdn",
    "wu",
    "c2n",
    "scpgabnet",
    "at_bsn",
    "at_bsn_distilled",
    "sasl",
    "tm_bsn",
    "tm_bsn_distilled",
    "apr_rd",
    "noise2void",
    "pn2v",
    "laine",
    "ap_bsn",
    "sdap",
    "amsnet",
    "c_bsn",
    "lg_bpn",
    "blind2unblind",
    "cvf_sid",
)


def named(name: str) -> Any:
    """Return what a file of a method has under a name, such as ``pairs.Pairs``."""
    file, kind = name.split(".")
    return getattr(import_module(f"mid_core.methods.{file}"), kind)


def stage_of(settings: Mapping[str, Any], before: "nn.Module | None" = None) -> "Stage":
    """Return a training, as its settings have it.

    Parameters
    ----------
    settings
        Of a method's stage: ``does``, ``options``, and of ``training`` the
        ``iterations``; or of a round of MID.
    before
        The network of the stage before, frozen; None: there is none.
    """
    if "does" not in settings:
        return named("mid.Round")(before, settings)  # type: ignore[no-any-return]
    own = dict(settings.get("options", {}))
    if "training" in settings:
        own["iterations"] = settings["training"]["iterations"]
    return named(settings["does"])(before, **own)  # type: ignore[no-any-return]


def answer_of(settings: Mapping[str, Any], network: "nn.Module") -> "Answer":
    """Return how a trained network is used, ``does`` and its options, around it."""
    options = {name: value for name, value in settings.items() if name != "does"}
    return named(settings["does"])(network, **options)  # type: ignore[no-any-return]


def denoise_without_training(
    name: str,
    options: Mapping[str, Any],
    y: np.ndarray,
    truth: np.ndarray | None = None,
    covariance: np.ndarray | None = None,
) -> np.ndarray:
    """Denoise an image by a method that needs no training.

    Parameters
    ----------
    name, options
        Of the method: its file, and its options, ``level`` among them.
    y
        Noisy image, float32 (H, W, C) in [0, 1].
    truth, covariance
        What some levels need; see ``levels.level_of``.

    Returns
    -------
    The estimate, not clipped.
    """
    # Base installations lack this, and what estimates levels.
    from threadpoolctl import threadpool_limits

    level = named("levels.level_of")(options["level"], y, truth, covariance)
    # Products of small matrices in many threads wait for each other: five times as slow.
    with threadpool_limits(1, "blas"):
        return named(f"{name}.denoise")(y, **{**options, "level": level})  # type: ignore[no-any-return]
