"""How long each job of a run takes: as its last run did, or by a short trial."""

import json
from pathlib import Path
from typing import NamedTuple

import torch

from mid_config.last_run import Usage, usage
from mid_config.plan import Plan
from mid_core.jobs.dag import Job
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.networks.measure import multiply_adds_per_pixel
from mid_core.planning.forecast import Pools
from mid_core.planning.step_trial import STEP_PASSES, pass_seconds, step_seconds
from mid_core.runtime.devices import pick_device
from mid_core.trainer import Training

BANK_RULES = ("extract_noise", "distillation_targets")
NETWORK_RULES = ("choose_ratio", "train_round", "evaluate", "denoise_pool", *BANK_RULES)
# Until Python has loaded PyTorch; measured on a CPU core.
START_S = 4.0


class JobTime(NamedTuple):
    """Seconds that a job takes, how that is known, and the MB that it held (or 0)."""

    seconds: float
    source: str
    memory_mb: float = 0.0


class JobTimes:
    """What jobs take. The GPUs of one job share its work without loss.

    Parameters
    ----------
    plan
        What has to be made.
    pools
        What is known of each pool, by stack.
    rate
        Operations a second that a GPU which is not here sustains in networks. The last
        runs of networks do not count then, and nothing is tried.
    anew
        Whether to pass over the last runs.

    Attributes
    ----------
    device
        Where networks are tried: as the jobs would.
    """

    def __init__(
        self, plan: Plan, pools: Pools, rate: float | None = None, anew: bool = False
    ) -> None:
        self.plan, self.pools, self.rate, self.anew = plan, pools, rate, anew
        torch.set_num_threads(plan.config["runtime"]["threads"])
        name = plan.config["runtime"]["device"]
        self.device = pick_device(name, needed=False, wait=False)
        self._known: dict[str, float] = {}

    def time(self, job: Job) -> JobTime:
        """Say how long a job takes."""
        if last := self._last_run(job):
            return JobTime(last.seconds, "last run", last.memory_mb)
        if job.rule == "ingest":
            pool = self.pools[job.wildcards["pool"]]
            decoded = pool.get(job.wildcards["stack"], pool["image"])
            return JobTime(START_S + decoded.seconds, "trial")
        if job.rule not in NETWORK_RULES:
            return JobTime(START_S, "start only")
        work = self._work(job, job.wildcards["variant"], int(job.wildcards["k"]))
        return JobTime(START_S + work, "computed" if self.rate else "trial")

    def _last_run(self, job: Job) -> Usage | None:
        if self.anew or (self.rate and job.rule in NETWORK_RULES):
            return None
        card = Path(job.outputs[0]) if job.rule == "train_round" else None
        if card and card.is_file():
            made = json.loads(card.read_text())
            train = self._train(job.wildcards["variant"], int(job.wildcards["k"]))
            # Another network, or another number of steps, takes another time.
            if any(made[key] != train[key] for key in ("network", "training")):
                return None
        return usage(Path(job.benchmark), card)

    def _train(self, variant: str, k: int) -> dict:
        return self.plan.rounds[variant][k].train

    def _work(self, job: Job, variant: str, k: int) -> float:
        """Seconds in the network: passes over all pixels of a pool, or steps."""
        one, maker, processes = self.plan.rounds[variant][k], (variant, k), 1
        if job.rule in ("choose_ratio", "train_round"):
            training = Training(**one.train["training"])
            steps, processes = training.iterations, self.plan.gpus(*maker)
            if job.rule == "choose_ratio":
                trials, processes = one.train["trials"], 1
                steps = trials["iterations"] * len(trials["mask_ratios"])
            # Their steps may be many passes; of a GPU that is not here, one is counted.
            if "does" in one.train and not self.rate:
                return steps * self._step(*maker) / processes
            crops = STEP_PASSES * training.batch_size * steps
            return crops * training.patch_size**2 * self._pixel(*maker) / processes
        pool = job.wildcards.get("pool", one.extract.get("pool"))
        masks = job.wildcards.get("num_masks", one.evaluate["num_masks"][-1])
        if job.rule in BANK_RULES:
            maker, masks = self.plan.maker(variant, k), one.extract["num_masks"]
            # A teacher's targets are drawn by one process.
            processes = self.plan.extraction_gpus(variant, k) if k else 1
        masked = self._train(*maker)["masking"]["mask_ratio"] != 0
        passes = int(masks) if masked else 1
        if job.rule in BANK_RULES:
            passes *= one.extract.get("targets", 1)
        pixels = self.pools[pool]["image"].pixels
        return passes * pixels * self._pixel(*maker) / processes

    def _step(self, variant: str, k: int) -> float:
        """Seconds of a step of a compared method's training."""
        trainings = [one.train for one in self.plan.rounds[variant]]
        colours = self.pools[trainings[k]["pool"]]["image"].channels
        return step_seconds(trainings, k, colours, self.device)

    def _pixel(self, variant: str, k: int) -> float:
        """Seconds a pixel of one pass, found once for all rounds with this network."""
        train = self._train(variant, k)
        # Of published weights nobody knows before they are read.
        if "network" not in train:
            return 0.0
        colours = self.pools[train["pool"]]["image"].channels
        extra = Masking(**train["masking"]).extra_channels(colours)
        key = json.dumps([train["network"], train["training"], colours, extra])
        if key not in self._known:
            with torch.device("meta" if self.rate else "cpu"):
                network = build(train["network"], colours, extra)
            if self.rate:
                # A multiply-add is two operations.
                self._known[key] = 2 * multiply_adds_per_pixel(network) / self.rate
            else:
                training = Training(**train["training"])
                self._known[key] = pass_seconds(network, training, self.device)
        return self._known[key]
