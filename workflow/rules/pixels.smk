"""Pools of images, decoded once.

in   the image files of a pool, wherever its reader finds them
out  results/{dataset}/data/{pool}.files.json  the list of its files
     results/{dataset}/data/{pool}.zarr        its pixels; sealed by {pool}.seal.json
     results/{dataset}/data/checked.json       all pools are there and fit the method
"""


rule index_pool:
    output:
        "results/{dataset}/data/{pool}.files.json",
    log:
        "results/{dataset}/logs/index_pool/{pool}.log",
    benchmark:
        "results/{dataset}/benchmarks/index_pool/{pool}.tsv"
    # Unfit images are to be found before time is spent on anything else.
    priority: 10
    conda:
        "../../environment.yml"
    params:
        settings=pool_settings,
        files=pool_files,
        version=VERSIONS["index_pool"],
    script:
        "../scripts/index_pool.py"


rule ingest:
    input:
        files="results/{dataset}/data/{pool}.files.json",
    output:
        seal="results/{dataset}/data/{pool}.seal.json",
    log:
        "results/{dataset}/logs/ingest/{pool}.log",
    benchmark:
        "results/{dataset}/benchmarks/ingest/{pool}.tsv"
    priority: 10
    conda:
        "../../environment.yml"
    resources:
        mem_mb=4000,
        runtime="4h",
    params:
        settings=pool_settings,
        version=VERSIONS["ingest"],
    script:
        "../scripts/ingest.py"


rule check_pools:
    input:
        [plan.pool(pool) for pool in plan.pools()],
    output:
        "results/{dataset}/data/checked.json",
    log:
        "results/{dataset}/logs/check_pools.log",
    benchmark:
        "results/{dataset}/benchmarks/check_pools.tsv"
    priority: 10
    conda:
        "../../environment.yml"
    params:
        needs=plan.needs(),
        version=VERSIONS["check_pools"],
    script:
        "../scripts/check_pools.py"
