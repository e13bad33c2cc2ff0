"""Pools of images, decoded once.

in   the image files of a pool, wherever its reader finds them
out  results/{dataset}/data/{pool}.files.json  the list of its files
     results/{dataset}/data/{pool}.zarr        its pixels; sealed by {pool}.seal.json
"""


rule index_pool:
    input:
        pool_folders,
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
