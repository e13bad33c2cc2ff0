"""List every image that each job opened."""

import json
from pathlib import Path

import pandas as pd

from mid_config.plan import Plan
from mid_config.pools import absent_pools
from mid_core.jobs.every_job import Job, pool_jobs, result_jobs, round_jobs
from mid_core.jobs.lineage import rows
from mid_core.runtime.progress import run_rule
from mid_core.store import Store, store_path


def main() -> None:
    files = {}
    for manifest in snakemake.input.pools:
        store = Store(store_path(manifest))
        items = json.loads(
            (store.path.parent / f"{store.kind}.files.json").read_text()
        )["items"]
        known = {item["name"]: item[store.kind] for item in items}
        names = {name: str(Path(known[name]).absolute()) for name in store.names}
        files[store.path.absolute().as_posix()] = names
    plan = Plan(snakemake.config, absent_pools(snakemake.config))
    jobs = [*pool_jobs(plan), *round_jobs(plan), *result_jobs(plan)]
    jobs += [Job("paper", "", Path(result)) for result in snakemake.params.further]
    logs = sorted({job.log for job in jobs})
    table = pd.DataFrame(rows(logs, files))
    table.to_csv(snakemake.output[0], index=False)


run_rule(main, snakemake.log[0])
