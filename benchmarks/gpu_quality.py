"""What a GPU makes of MID in minutes: its best choices with NAFNet-32 as published.

``config/real_noise.yaml`` under ``config/gpu.yaml``, trained by the clock: a few steps
tell the pace, and then as many are taken as fit. Plain white noise, the true noise, AT-BSN
and TM-BSN as published get half of a round's minutes. A part of ``benchmarks.gpu``.
"""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from benchmarks.measuring import Rows
from mid_config import registry
from mid_config.loading import load_config
from mid_config.plan import Plan
from mid_core.brightness import brightness_error
from mid_core.cameras import Camera, together
from mid_core.checkpoints.model_file import load_model, save_model
from mid_core.datasets import survey
from mid_core.datasets.ingesting import decode
from mid_core.ensemble import denoise
from mid_core.errors import MidError
from mid_core.evaluation.scoring import image_rows
from mid_core.images.picture import to_dtype, to_float
from mid_core.jobs.looking import answering, settled
from mid_core.look import look
from mid_core.masking import Masking, image_seed
from mid_core.methods import stage_of
from mid_core.noise import measured_gaussian, white_gaussian
from mid_core.patches import InMemory, PatchSampler
from mid_core.runtime.progress import TrainingReport
from mid_core.trainer import Trainer, Training
from mid_core.training import train

CAMERAS = {"sidd": [], "polyu": ["polyu.yaml"]}
# What the workflow's trials chose for SIDD's samples, and for PolyU's.
CHOSEN = {"mask_ratio": 0}
PROTOCOLS = ["sidd-matlab3d"]
# How many looks at the clock tell the pace.
LOOKS = 4
# For a trial of the script.
TINY = {"width": 4, "encoder": [1], "middle": 1, "decoder": [1], "pixel_unshuffle": 2}
SHORT = {"batch_size": 2, "patch_size": 32, "precision": "fp32"}
# Of the compared methods.
CROPS = {"batch_size": 16, "patch_size": 128, "learning_rate": 3e-4, "ema_decay": 0.999}

Named = list[tuple[str, np.ndarray]]
Settings = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """How much is trained, and where.

    Attributes
    ----------
    minutes
        Of each of MID's rounds; the other trainings take half of it.
    device
        ``"cuda"`` or ``"cpu"``.
    data
        The folder of the real images.
    models
        The folder of finished networks.
    quick
        Whether networks and crops are tiny.
    """

    minutes: float
    device: str
    data: Path
    models: Path
    quick: bool = False

    @property
    def every(self) -> int:
        """Steps between two looks at the clock."""
        return 2 if self.quick else 20

    def plan(self, camera: str) -> Plan:
        """Read the configs of a camera's images."""
        names = ["real_noise.yaml", *CAMERAS[camera], "gpu.yaml"]
        return Plan(load_config([Path("config") / name for name in names], {}))

    def adapted(self, settings: Settings) -> Settings:
        """Settings of a training with the mask ratio that is chosen, and tiny for a trial."""
        own = settings | {"masking": settled(settings["masking"], CHOSEN)}
        if self.quick:
            own["training"] = own["training"] | SHORT
            own["network"] = own["network"] | ({} if "does" in own else TINY)
        return own

    def images(self, plan: Plan, pool: str, stack: str = "image") -> Named:
        """Read the images of a pool, or their truths: names and (H, W, C)."""
        settings = plan.config["pools"][pool]
        settings = {k: _moved(value, self.data) for k, value in settings.items()}
        found = survey(settings, None, stack)
        if found.problems:
            raise MidError("\n".join(found.problems))
        images = []
        for image in decode(found.items, settings, stack, 4):
            if isinstance(image, MidError):
                raise image
            images.append(image)
        return list(zip([item["name"] for item in found.items], images, strict=True))


def _moved(value: Any, data: Path) -> Any:
    """Put a path of the configs' data into another folder."""
    if isinstance(value, Mapping):
        return {key: _moved(inner, data) for key, inner in value.items()}
    if isinstance(value, str) and value.startswith("../shared/data/"):
        return str(data / Path(value).relative_to("../shared/data"))
    return value


def _camera(noisy: Named) -> Camera:
    return together([look(to_float(y)) for _, y in noisy])


def _bank(work: Work, plan: Plan, extract: Settings) -> Named:
    """The noise of a first training."""
    # White noise needs no images, but their colours.
    pool, kind = extract.get("pool", "noisy"), extract["initial_noise"]
    noisy = work.images(plan, pool)
    if kind == "true_noise":
        truths = work.images(plan, pool, "truth")
        both = zip(noisy, truths, strict=True)
        return [(name, to_float(y) - to_float(x)) for (name, y), (_, x) in both]
    sizes = 32 if work.quick else extract["count"], extract["size"]
    if kind == "measured":
        return list(measured_gaussian(_camera(noisy), *sizes, extract["seed"]))
    colours = noisy[0][1].shape[2]
    return list(white_gaussian(*sizes, extract["sigma"], colours, extract["seed"]))


def _targets(work: Work, noisy: Named, teacher: Path, extract: Settings) -> Named:
    """A teacher's predictions of the noisy images, each with masks of its own."""
    network, card = load_model(teacher, torch.device(work.device))
    masking = Masking(**card["masking"])
    each = extract["targets"] if masking.mask_ratio else 1
    how = "developed" if _camera(noisy).is_developed else "predicted"
    targets = []
    for name, image in noisy:
        y = to_float(image)
        for t in range(each):
            seed = image_seed(extract["seed"], f"distillation_targets/{t}", name)
            (x_hat,) = denoise(network, y, masking, seed, [extract["num_masks"]])
            x_hat = x_hat - brightness_error(x_hat, y, how)
            targets.append((f"{name}, target {t}", to_dtype(x_hat, image.dtype)))
    return targets


def _begun(
    work: Work, settings: Settings, pools: Mapping[str, Named], steps: int
) -> tuple[Trainer, PatchSampler]:
    """Set up a training of so many steps."""
    training = Training(**settings["training"] | {"iterations": steps})
    stage = stage_of(settings | {"training": vars(training)})
    held = {role: InMemory(images) for role, images in pools.items()}
    sizes, seed = (training.batch_size, training.patch_size), settings["seed"]
    batches = stage.batches(held, *sizes, [seed, settings["round"]])
    network = stage.build(settings["network"], batches.channels, batches.seed)
    compiled = "never" if "does" in settings or work.quick else "always"
    device, turns = torch.device(work.device), stage.turns()
    return Trainer(network, training, device, compiled=compiled, turns=turns), batches


def _pace(work: Work, settings: Settings, pools: Mapping[str, Named]) -> float:
    """Seconds a step, by a few."""
    times: list[float] = []
    trainer, batches = _begun(work, settings, pools, work.every * LOOKS)
    # The first ones also compile.
    train(trainer, batches, lambda *_: times.append(time.perf_counter()), work.every)
    return (times[-1] - times[0]) / (work.every * (LOOKS - 1))


def _trained(
    work: Work,
    name: str,
    settings: Settings,
    pools: Mapping[str, Named],
    minutes: float,
) -> tuple[nn.Module, Settings]:
    """Train for so long, keep the model, and return it with its card."""
    steps = max(work.every, int(60 * minutes / _pace(work, settings, pools)))
    # Recorded networks refer to themselves, and keep the GPU's memory.
    gc.collect()
    trainer, batches = _begun(work, settings, pools, steps)
    train(trainer, batches, TrainingReport(name, steps), work.every)
    model: Any = trainer.model
    patch = trainer.settings.patch_size
    model.set_patch_size(patch)
    card = {key: settings[key] for key in ("network", "masking")}
    card |= {"channels": model.channels, "patch_size": patch, "steps": steps}
    card |= {"train_seconds": round(trainer.seconds, 1)}
    work.models.mkdir(parents=True, exist_ok=True)
    save_model(work.models / f"{name}.safetensors", model, card)
    return model, card


def _scores(
    work: Work, plan: Plan, model: nn.Module, card: Settings, counts: list[int]
) -> Rows:
    """Score a model on the tests of a camera: a row for each test and K."""
    masking, counts = answering({"masking": card["masking"], "num_masks": counts}, card)
    found = []
    for test in plan.tests:
        noisy, truths = (work.images(plan, test, s) for s in ("image", "truth"))
        rows = []
        for (name, image), (_, truth) in zip(noisy, truths, strict=True):
            y, seed = to_float(image), image_seed(0, "evaluate", name)
            estimates = denoise(model, y, masking, seed, counts)
            both = dict(zip(counts, estimates, strict=True))
            rows += image_rows(y, to_float(truth), both, PROTOCOLS)
        means = pd.DataFrame(rows).groupby("k").mean(numeric_only=True)
        about = {"test": test, "n_images": len(noisy)}
        about |= {key: card[key] for key in ("steps", "train_seconds")}
        found += (means.reset_index().assign(**about)).to_dict("records")
    return found


def mid_round(k: int, camera: str, work: Work, variant: str = "auto") -> Rows:
    """Train round ``k`` of a variant by the clock, and score it."""
    plan = work.plan(camera)
    one, name = plan.rounds[variant][k], f"{camera}_{variant}_{k}"
    settings = work.adapted(one.train)
    pools = {"clean": work.images(plan, settings.get("clean", settings["pool"]))}
    if k:
        noisy = work.images(plan, one.extract["pool"])
        teacher = work.models / f"{camera}_{variant}_{k - 1}.safetensors"
        targets = _targets(work, noisy, teacher, one.extract)
        pools |= {"noisy": noisy, "targets": targets}
    else:
        pools["noise"] = _bank(work, plan, one.extract)
    minutes = work.minutes if variant == "auto" else work.minutes / 2
    model, card = _trained(work, name, settings, pools, minutes)
    return _scores(work, plan, model, card, one.evaluate["num_masks"])


def compared(method: str, work: Work) -> Rows:
    """Train a method with one stage on the noisy images alone, as published."""
    (stage,) = registry.method(method)["stages"].values()
    plan = work.plan("sidd")
    own = {"masking": {"mask_ratio": 0}, "seed": 0, "round": 0}
    settings = work.adapted({**stage, **own})
    # Smaller than the published ones, as some of the images are.
    settings["training"] = settings["training"] | ({} if work.quick else CROPS)
    pools = {"noisy": work.images(plan, "noisy")}
    model, card = _trained(work, method, settings, pools, work.minutes / 2)
    return _scores(work, plan, model, card, [1])


PARTS: dict[str, Callable[[Work], Rows]] = {
    "MID, first round": partial(mid_round, 0, "sidd"),
    "MID, the round that it teaches": partial(mid_round, 1, "sidd"),
    "white noise, nothing hidden": partial(mid_round, 0, "sidd", variant="no_mask"),
    "the true noise": partial(mid_round, 0, "sidd", variant="true_noise"),
    "AT-BSN": partial(compared, "at_bsn"),
    "TM-BSN": partial(compared, "tm_bsn"),
}
MORE: dict[str, Callable[[Work], Rows]] = {
    "MID, first round, second camera": partial(mid_round, 0, "polyu"),
    "MID, the round that it teaches, second camera": partial(mid_round, 1, "polyu"),
}
