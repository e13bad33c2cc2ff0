"""The whole of `mid doctor`: from config files to a report."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mid_config.plan import Plan
from mid_core.datasets.checking import check
from mid_core.datasets.overlap import files_by, overlaps
from mid_core.errors import MidError
from mid_core.jobs.dag import read_jobs
from mid_core.jobs.status import read_plan
from mid_core.planning import doctor
from mid_core.planning.forecast import SAMPLE, Pools, forecast
from mid_core.runtime.files import place, sha256


def consult(configs: Sequence[Path], quick: bool) -> tuple[str, bool]:
    """Examine the data sets of a config.

    Parameters
    ----------
    configs
        Config files, later ones over earlier ones.
    quick
        Whether to list the files, and decode a few; else every image is decoded, and
        what the run will take is estimated.

    Returns
    -------
    The report, and whether all that the run needs is there.

    Raises
    ------
    MidError
        If the config is wrong.
    """
    plan = read_plan(configs)
    used = {pool: uses for pool, uses in plan.uses().items() if uses}
    findings = [_examine(plan, pool, uses, quick) for pool, uses in used.items()]
    wrong, costs = doctor.wrong(findings) or _shared(plan, findings, quick), ""
    known = {} if wrong else _decoded(findings) or _sampled(plan)
    wrong = wrong or _unfit(plan, known)
    if not quick and not wrong:
        costs = _costs(plan, configs, known)
    if known and not wrong and plan.config["runtime"]["check_disk_space"]:
        wrong = _lacking_disk_space(plan, known)
    return doctor.report(findings, costs, wrong, quick), not wrong


def _examine(plan: Plan, pool: str, uses: Sequence[str], quick: bool) -> doctor.Finding:
    finding = doctor.Finding(pool, plan.config["pools"][pool], uses)
    if pool in plan.absent and pool not in plan.pools():
        finding.missing = plan.absent[pool]
        return finding
    stacks, threads = plan.stacks(pool), plan.config["runtime"]["threads"]
    # The listing of the last, of the truth where it is needed, has all problems.
    finding.found = doctor.look(finding.settings, stacks[-1])
    for stack in [] if quick else stacks:
        finding.decoded[stack] = doctor.decode_all(
            pool, finding.settings, finding.found, stack, threads
        )
    return finding


def _shared(plan: Plan, findings: Sequence[doctor.Finding], quick: bool) -> list[str]:
    """Say which pools share files; quickly, copies of a file do not count."""
    identity = place if quick else sha256
    files = {
        (finding.pool, stack): files_by(identity, finding.found.items, stack)
        for finding in findings
        for stack in ("image", "truth")
    }
    return overlaps(files, plan.needs())


def _unfit(plan: Plan, known: Pools) -> list[str]:
    """Say what of the pools, each sound by itself, does not go together."""
    stacks: dict[str, dict] = {"image": {}, "truth": {}}
    for pool, own in known.items():
        for stack, decoded in own.items():
            # Of a sample, the sizes after those of its names are taken to be like them.
            sizes = decoded.sizes[: len(decoded.names)]
            stacks[stack][pool] = replace(decoded, sizes=sizes)
    needs = [need for need in plan.needs() if {need["pool"], need["clean"]} <= {*known}]
    try:
        check(stacks["image"], stacks["truth"], needs, {})
    except MidError as error:
        return str(error).splitlines()
    return []


def _sampled(plan: Plan) -> Pools:
    """Decode a few images of each pool."""
    try:
        return forecast(plan, (), SAMPLE)
    except MidError:
        # An image of the few is broken: ingestion will name all that are.
        return {}


def _lacking_disk_space(plan: Plan, known: Pools) -> list[str]:
    # This loads torch, which takes seconds: what is missing is told sooner.
    from mid_core.planning.disk_space import lacking_disk_space

    try:
        return lacking_disk_space(plan, known)
    except MidError:
        return []


def _decoded(findings: Sequence[doctor.Finding]) -> Pools:
    return {finding.pool: finding.decoded for finding in findings if finding.decoded}


def _costs(plan: Plan, configs: Sequence[Path], pools: Pools) -> str:
    from mid_core.planning.job_times import JobTimes
    from mid_core.planning.plan_report import rules_table

    jobs = read_jobs(configs)
    known = JobTimes(plan, pools)
    times = {name: known.time(job) for name, job in jobs.items()}
    table = rules_table(plan, pools, jobs, times)
    return f"{table}\ntrials were computed on {known.device}"
