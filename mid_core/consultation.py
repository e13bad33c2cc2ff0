"""The whole of `mid doctor`: from config files to a report."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from mid_config.loading import ConfigError, load_config
from mid_config.plan import Plan, absent_pools
from mid_core import doctor, estimate
from mid_core.errors import MidError
from mid_core.training import pick_device

SCHEMA = Path(__file__).parents[1] / "workflow/schemas/config.schema.yaml"
SAMPLE = 4


def consult(configs: Sequence[Path], quick: bool) -> tuple[str, bool]:
    """Examine the data sets of a config.

    Parameters
    ----------
    configs
        Config files, later ones over earlier ones.
    quick
        Whether to list the files only; else every image is decoded.

    Returns
    -------
    The report, and whether all that the run needs is there.

    Raises
    ------
    MidError
        If the config is wrong.
    """
    try:
        config = load_config(configs, SCHEMA, {})
        plan = Plan(config, absent_pools(config))
    except ConfigError as error:
        raise MidError(str(error)) from error
    findings = [_examine(plan, pool, quick) for pool in plan.uses()]
    findings = [finding for finding in findings if finding.uses]
    # What a broken data set costs, nobody can tell.
    sound = not doctor.wrong(findings)
    return doctor.report(findings, _costs(plan, findings) if sound else {}), sound


def _examine(plan: Plan, pool: str, quick: bool) -> doctor.Finding:
    settings, uses = plan.config["pools"][pool], plan.uses()[pool]
    finding = doctor.Finding(pool, settings, uses)
    if not uses:
        return finding
    if pool in plan.absent and pool not in plan.pools():
        finding.missing = plan.absent[pool]
        return finding
    stacks = plan.stacks(pool)
    finding.found = doctor.look(settings, stacks)
    if not quick:
        threads = os.cpu_count() or 1
        doctor.decode_all(pool, settings, finding.found, stacks, threads)
    return finding


def _costs(plan: Plan, findings: Sequence[doctor.Finding]) -> dict[str, str]:
    pools = {}
    for finding in findings:
        if finding.found.items:
            items = finding.found.items
            read = partial(doctor.sample, finding.settings, items, SAMPLE)
            pools[finding.pool] = estimate.pool_cost(len(items), read)
    torch.set_num_threads(plan.config["runtime"]["threads"])
    device = pick_device(plan.config["runtime"]["device"], needed=False)
    return estimate.costs(plan, pools, device)
