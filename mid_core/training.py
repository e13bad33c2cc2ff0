"""One training: a network from scratch, on one noise bank."""

import logging
from collections.abc import Callable

from mid_core.drawing import Crop, Drawing
from mid_core.errors import NotFinite
from mid_core.held_out import COLUMN, HeldOut
from mid_core.keeping import Keeper
from mid_core.learner import Learner

log = logging.getLogger("mid")


def train(
    learner: Learner,
    batches: Drawing,
    report: Callable[[int, float, float], None] = lambda step, loss, rate: None,
    every: int = 50,
    keeper: Keeper | None = None,
    held_out: HeldOut | None = None,
) -> None:
    """Train to the end of the settings' iterations, from where the learner is.

    Parameters
    ----------
    learner
        What is trained; its ``model`` is then ready for use.
    batches
        Step t, from 1, trains on ``batches.draw(t - 1)``, or on the share of it that
        is this process's.
    report
        Called every ``every`` steps and at the end, with the step, the mean loss
        since the last call, and the learning rate.
    keeper
        Saves the state from time to time; None: nobody does.
    held_out
        Other images, on which the model is scored after some steps.

    Raises
    ------
    NotFinite
        When a loss or a weight is not finite, and the learner may not skip the step.
        That is looked for where the training reports or saves: later steps are lost
        with the bad one, but no state and no model comes of them.
    Interrupted
        When the keeper was told to stop; the state is saved.
    """
    iterations = learner.settings.iterations
    crops = learner.team.share(batches.batch)
    for y, x in batches.stream(learner.step, iterations, crops, learner.device):
        if not learner.learn(y, x):
            log.warning("step %d is not finite and is skipped", learner.step)
            _name_crops(learner.step, batches, logging.WARNING)
        ended = learner.step == iterations
        checked = held_out is not None and learner.step in held_out.steps
        reports = ended or checked or learner.step % every == 0
        saves = keeper is not None and not ended and keeper.due()
        if reports or saves:
            _stop_unless_finite(learner, batches)
        if reports:
            more = {COLUMN: held_out.psnr_db(learner)} if checked else {}
            report(*learner.sum_up(**more))
        if saves:
            keeper.keep(learner)
    learner.model.eval()


def _stop_unless_finite(learner: Learner, batches: Drawing) -> None:
    """Refuse to go on from a step that destroyed the weights; say what it saw."""
    step = learner.first_bad_step()
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


def _name_crops(step: int, batches: Drawing, level: int) -> list[Crop]:
    crops = batches.origins(step - 1)
    for crop in crops:
        log.log(level, "step %d saw %s", step, crop)
    return crops
