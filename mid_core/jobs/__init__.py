"""Snakemake's side of the work: a job's log and its end, status, recovery, lineage.

It may import mid_config and all below: evaluation, stores, checkpoints, the runtime.
"""
