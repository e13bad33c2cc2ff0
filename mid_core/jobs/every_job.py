"""Every job that a config asks for: its place, its result and its log.

The rules say the same in Snakemake's words; a test holds the two together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mid_config.plan import Plan

PAPER = "networks|by_round|components|ensemble|ratios|cost|inpainting|choices"
# Results and logs below results/<dataset>/, as the rules name them.
LOGS = {
    r"data/(.+)/split\.json": "split_pool/{}",
    r"data/(.+)/(image|truth)\.files\.json": "index_pool/{}_{}",
    r"data/(.+)/(image|truth)\.manifest\.json": "ingest/{}_{}",
    r"data/checked\.json": "check_pools",
    r"awgn/(.+)/noise\.manifest\.json": "awgn_bank/{}",
    r"truth/(.+)/noise\.manifest\.json": "true_noise/{}",
    r"(.+)/round_(\d+)/noise\.manifest\.json": "extract_noise/{}_{}",
    r"(.+)/round_(\d+)/targets\.manifest\.json": "distillation_targets/{}_{}",
    r"(.+)/round_(\d+)/model\.json": "train_round/{}_{}",
    r"(.+)/round_(\d+)/scores/(.+)\.csv": "evaluate/{}_{}_{}",
    r"(.+)/round_(\d+)/denoised/(.+)\.manifest\.json": "denoise_pool/{}_{}_{}",
    r"submissions/(.+)/bundle\.json": "bundle_submission/{}",
    r"baselines/(.+)/scores/(.+)\.csv": "evaluate_baseline/{}_{}",
    r"(.+)/round_(\d+)/cost\.json": "measure_cost/{}_{}",
    r"tables/(realism|gap)\.csv": "measure_realism",
    r"tables/(realism|gap)\.md": "tabulate_realism/{}",
    r"figures/(realism|brightness|autocorrelation|gap)\.png": "plot_realism",
    r"figures/(methods|remains)\.png": "plot_methods",
    r"tables/claims\.csv": "judge_claims",
    r"tables/comparison\.csv": "tabulate_comparison",
    rf"tables/({PAPER})\.csv": "tabulate_paper/{}",
    r"compared/index\.json": "compare_images",
    r"report\.html": "report",
    r"tables/rounds\.csv": "tabulate_rounds",
    r"tables/lineage\.csv": "lineage",
    r"figures/(.+)\.png": "plot_{}",
}


@dataclass(frozen=True)
class Job:
    """One job of a run, and its cell in a table of them.

    Attributes
    ----------
    row, column
        What the job is done for, and its stage: ``("mid 0", "training")``. Rounds that
        are the same share a job, which then stands in several cells.
    result
        The output whose presence says that it is done.
    """

    row: str
    column: str
    result: Path

    @property
    def log(self) -> Path:
        """Where the job says how it goes."""
        folder = Path(*self.result.parts[:2])
        inner = self.result.relative_to(folder).as_posix()
        for pattern, log in LOGS.items():
            if found := re.fullmatch(pattern, inner):
                return folder / f"logs/{log.format(*found.groups())}.log"
        raise LookupError(f"no rule is known to make {self.result}")

    @property
    def rule(self) -> str:
        """The rule that does it."""
        return Path(self.log.parts[3]).stem

    @property
    def benchmark(self) -> Path:
        """Where Snakemake notes what the job took."""
        inner = self.log.relative_to(Path(*self.log.parts[:3])).with_suffix(".tsv")
        return Path(*self.log.parts[:2]) / "benchmarks" / inner

    @property
    def owner(self) -> str:
        """The variant whose round it is; empty for what no round owns."""
        found = re.match(r"([^/]+)/round_\d+/", "/".join(self.result.parts[2:]))
        return found[1] if found else ""


def every_job(plan: Plan) -> dict[str, Job]:
    """Return each job once, by its result."""
    jobs = [*pool_jobs(plan), *round_jobs(plan), *result_jobs(plan)]
    return {str(job.result): job for job in jobs}


def pool_jobs(plan: Plan) -> Iterator[Job]:
    """List what is done to images: a row for each pool, and one for all."""
    for pool in plan.pools():
        if split := plan.split(pool):
            yield Job(pool, "list", Path(split))
        for stack in plan.stacks(pool):
            yield Job(pool, "list", Path(plan.files(pool, stack)))
            yield Job(pool, "pixels", Path(plan.pool(pool, stack)))
    yield Job("all", "pixels", Path(f"results/{plan.dataset}/data/checked.json"))


def round_jobs(plan: Plan) -> Iterator[Job]:
    """List what is done for the rounds that a table, figure or submission shows."""
    for variant in plan.asked():
        for k in range(len(plan.rounds[variant])):
            row = f"{variant} {k}"
            yield Job(row, "noise", Path(plan.bank(variant, k)))
            yield Job(row, "training", Path(plan.model(variant, k)))
            if (variant, k) in plan.table_rounds():
                for test in plan.tests:
                    yield Job(row, "scores", Path(plan.scores(variant, k, test)))


def result_jobs(plan: Plan) -> Iterator[Job]:
    """List what is made of the rounds in the end."""
    for name in plan.submissions:
        yield Job(f"submission {name}", "", Path(plan.denoised(name)))
        yield Job(f"submission {name}", "", Path(plan.bundle(name)))
    folder = Path(f"results/{plan.dataset}")
    # The table also says which tests are left out, be it all of them.
    for name in ("lineage", *(["rounds"] if plan.tests or plan.left_out() else [])):
        yield Job("tables", "", folder / f"tables/{name}.csv")
    for name in ("noise", "training", *(["rounds", "crops"] if plan.tests else [])):
        yield Job("figures", "", folder / f"figures/{name}.png")
