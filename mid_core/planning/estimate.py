"""How long the jobs of a run take, by trying a little of each kind of work."""

import json
from collections.abc import Mapping
from functools import cache

import torch

from mid_config.last_run import duration
from mid_config.plan import Plan
from mid_core.ensemble import default_tile, spans
from mid_core.jobs.every_job import every_job
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.planning.doctor import Decoded
from mid_core.planning.footprint import footprint
from mid_core.planning.speed import (
    Speed,
    computed_speed,
    measured_speed,
    scoring_seconds,
    starting_seconds,
)
from mid_core.training import Training

Pools = Mapping[str, Mapping[str, Decoded]]


def costs(plan: Plan, pools: Pools, device: torch.device) -> dict[str, str]:
    """Say what a run takes here, one job after the other.

    Parameters
    ----------
    plan
        What has to be made.
    pools
        What decoding showed of each pool, by stack.
    device
        Where the networks run.

    Returns
    -------
    Text by rule, for all rules, and for what stays on disk.
    """
    jobs, spent = every_job(plan), {}
    for result, own in Estimate(plan, pools, device).seconds().items():
        rule = jobs[result].rule
        spent[rule] = spent.get(rule, 0) + own
    times = {rule: duration(own) for rule, own in spent.items()}
    left = footprint(plan, pools).values()
    size, files = (sum(part) for part in zip(*left, strict=True))
    disk = f"{size / 1e9:.2f} GB in {files} files"
    return times | {"all": duration(sum(spent.values())), "on disk": disk}


class Estimate:
    """What the jobs of a run take.

    Parameters
    ----------
    plan
        What has to be made.
    pools
        What is known of each pool, by stack.
    device
        Where networks are tried.
    rate
        Operations a second that another GPU sustains in networks; None: they are tried.
    """

    def __init__(
        self, plan: Plan, pools: Pools, device: torch.device, rate: float | None = None
    ) -> None:
        self.plan, self.pools, self.device, self.rate = plan, pools, device, rate
        self._speeds: dict[str, Speed] = {}

    def seconds(self) -> dict[str, float]:
        """Estimate what each job takes, by its result.

        The GPUs of one job are taken to share its work without loss.
        """
        decoding = {
            self.plan.pool(pool, stack): decoded.seconds
            for pool, stacks in self.pools.items()
            for stack, decoded in stacks.items()
        }
        work = decoding | self._trainings() | self._banks() | self._scores()
        work |= self._submissions()
        # Whatever else a job does, Python starts first.
        start = starting_seconds()
        return {result: start + work.get(result, 0) for result in every_job(self.plan)}

    def _trainings(self) -> dict[str, float]:
        work = {}
        for variant, k in self.plan.owned("model"):
            settings = self.plan.rounds[variant][k].train["training"]
            steps = settings["iterations"] / self.plan.gpus(variant, k)
            work[self.plan.model(variant, k)] = steps * self._speed(variant, k).step
        return work

    def _banks(self) -> dict[str, float]:
        work = {}
        for variant, k in self.plan.owned("bank"):
            if maker := self.plan.maker(variant, k):
                one, (of, j) = self.plan.rounds[variant][k].extract, maker
                ratio = self.plan.rounds[of][j].train["masking"]["mask_ratio"]
                passes = one.get("targets", 1) * (one["num_masks"] if ratio != 0 else 1)
                seen = self._seen(of, j, one["pool"])
                pixel = self._speed(of, j).pixel
                # A teacher's targets are drawn by one process.
                passes /= self.plan.extraction_gpus(variant, k) if k else 1
                work[self.plan.bank(variant, k)] = passes * seen * pixel
        return work

    def _scores(self) -> dict[str, float]:
        work, threads = {}, self.plan.config["runtime"]["threads"]
        for variant, k in self.plan.owned("scores"):
            one = self.plan.rounds[variant][k].evaluate
            passes, pixel = one["num_masks"][-1], self._speed(variant, k).pixel
            scoring = scoring_seconds(tuple(one["protocols"])) / threads
            for test in self.plan.tests:
                sizes = self.pools[test]["image"].sizes
                # The noisy image is scored, too.
                scored = (1 + len(one["num_masks"])) * sum(h * w for h, w in sizes)
                own = passes * self._seen(variant, k, test) * pixel + scored * scoring
                work[self.plan.scores(variant, k, test)] = own
        return work

    def _submissions(self) -> dict[str, float]:
        work = {}
        for name, one in self.plan.submissions.items():
            variant = one["variant"] or next(iter(self.plan.rounds))
            k = len(self.plan.rounds[variant]) - 1
            ratio = self.plan.rounds[variant][k].evaluate["masking"]["mask_ratio"]
            passes = one["num_masks"] if ratio != 0 else 1
            seen = self._seen(variant, k, one["pool"])
            work[self.plan.denoised(name)] = (
                passes * seen * self._speed(variant, k).pixel
            )
        return work

    def _speed(self, variant: str, k: int) -> Speed:
        """Speed of a round's network, tried once for all rounds that have it."""
        train = self.plan.rounds[variant][k].train
        colours = self.pools[train["pool"]]["image"].channels
        extra = Masking(**train["masking"]).extra_channels(colours)
        key = json.dumps([train["network"], train["training"], colours, extra])
        if key not in self._speeds:
            training = Training(**train["training"])
            with torch.device("meta" if self.rate else "cpu"):
                network = build(train["network"], colours, extra)
            self._speeds[key] = (
                computed_speed(network, training, self.rate)
                if self.rate
                else measured_speed(network, training, self.device)
            )
        return self._speeds[key]

    def _seen(self, variant: str, k: int, pool: str) -> int:
        """Pixels that a round's network sees in one pass; its tiles overlap."""
        train, image = self.plan.rounds[variant][k].train, self.pools[pool]["image"]
        with torch.device("meta"):
            network = build(train["network"], image.channels)
        network.set_patch_size(train["training"]["patch_size"])
        device = "cuda" if self.rate else self.device.type
        tile = self.plan.config["runtime"]["tile"] or default_tile(device)

        @cache
        def along(length: int) -> int:
            return sum(stop - start for start, stop, *_ in spans(network, length, tile))

        return sum(along(height) * along(width) for height, width in image.sizes)
