"""Training a network from scratch on one noise bank: the loop (paper, Eq. 2 and 3).

Saving and scoring are callables of the caller.
"""

import logging
from collections.abc import Callable

from mid_core.errors import NotFinite
from mid_core.patches import Crop, PatchSampler
from mid_core.trainer import Trainer

log = logging.getLogger("mid")

Score = Callable[[Trainer], dict[str, float]]


def train(
    trainer: Trainer,
    batches: PatchSampler,
    report: Callable[[int, float, float], None] = lambda step, loss, rate: None,
    every: int = 50,
    save_due: Callable[[], bool] = lambda: False,
    save: Callable[[Trainer], None] = lambda trainer: None,
    score: Score = lambda trainer: {},
) -> None:
    """Train to the end of the settings' iterations, from where the trainer is.

    Parameters
    ----------
    trainer
        What is trained; its ``model`` is then ready for use.
    batches
        Step t, from 1, trains on ``batches.draw(t - 1)``, or on this process's shard
        of it.
    report
        Called every ``every`` steps and at the end, with the step, the mean loss
        since the last call, and the learning rate.
    save_due, save
        Asked after each step whether the state is to be saved, and what saves it.
        ``save`` may raise ``Interrupted``.
    score
        Called after each step; where it returns numbers, they become a row of the
        history.

    Raises
    ------
    NotFinite
        When a loss or a weight is not finite, and the trainer may not skip the step.
        That is looked for where the training reports or saves: later steps are lost
        with the bad one, but no state and no model comes of them.

    Examples
    --------
    >>> import numpy as np
    >>> from mid_core.batches import Batches
    >>> from mid_core.masking import Masking
    >>> from mid_core.networks import build
    >>> import torch
    >>> from mid_core.patches import InMemory
    >>> from mid_core.trainer import Training
    >>> pool = InMemory([("x", np.full((16, 16, 3), 128, np.uint8))])
    >>> noise = InMemory([("n", np.zeros((16, 16, 3), np.float16))])
    >>> batches = Batches(pool, noise, 2, 16, Masking(0.5), False, seed=[0])
    >>> network = build({"name": "dncnn", "width": 4, "depth": 3})
    >>> settings = Training(iterations=3, batch_size=2, patch_size=16)
    >>> trainer = Trainer(network, settings, torch.device("cpu"))
    >>> train(trainer, batches)
    >>> trainer.steps, [row["step"] for row in trainer.history]
    (3, [3])
    """
    iterations = trainer.settings.iterations
    crops = trainer.group.shard(batches.batch_size)
    for batch in batches.stream(trainer.steps, iterations, crops, trainer.device):
        if not trainer.step(*batch):
            log.warning("step %d is not finite and is skipped", trainer.steps)
            _name_crops(trainer.steps, batches, logging.WARNING)
        has_ended, scores = trainer.steps == iterations, score(trainer)
        reports = has_ended or bool(scores) or trainer.steps % every == 0
        saves = not has_ended and save_due()
        if reports or saves:
            _stop_unless_finite(trainer, batches)
        if reports:
            report(*trainer.sum_up(**scores))
        if saves:
            save(trainer)
    trainer.model.eval()


def _stop_unless_finite(trainer: Trainer, batches: PatchSampler) -> None:
    """Refuse to go on from a step that destroyed the weights; say what it saw."""
    step = trainer.first_bad_step()
    if step is None:
        return
    crops = _name_crops(step, batches, logging.ERROR)
    why = "its images are, so the training diverged: lower training.learning_rate, or "
    why += "set training.precision to fp32"
    if bad := [crop for crop in crops if not crop.finite]:
        why = f"nor is {bad[0]}: mend that image, or leave it out"
    raise NotFinite(
        f"step {step} is not finite (seed {list(batches.seed)}, its crops are in the "
        f"log); {why}. No model is written, and no state later than the last good one"
    )


def _name_crops(step: int, batches: PatchSampler, level: int) -> list[Crop]:
    crops = batches.origins(step - 1)
    for crop in crops:
        log.log(level, "step %d saw %s", step, crop)
    return crops
