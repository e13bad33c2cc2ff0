"""Pools of images: listed, then decoded once.

in   the image files of a pool, wherever its reader finds them
out  results/{dataset}/data/{pool}/split.json        the sides of a split data set
     results/{dataset}/data/{pool}/image.files.json  the list of its files
     results/{dataset}/data/{pool}/image.zarr        its pixels; see image.manifest.json
     results/{dataset}/data/{pool}/truth.*           likewise, where they are needed
     results/{dataset}/data/checked.json             all pools fit the method
"""


rule split_pool:
    output:
        "results/{dataset}/data/{pool}/split.json",
    log:
        "results/{dataset}/logs/split_pool/{pool}.log",
    benchmark:
        "results/{dataset}/benchmarks/split_pool/{pool}.tsv"
    priority: 10
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        settings=split_settings,
        files=pool_files,
        version=VERSIONS["split_pool"],
    script:
        "../scripts/split_pool.py"


rule index_pool:
    input:
        unpack(own_split),
    output:
        "results/{dataset}/data/{pool}/{stack}.files.json",
    log:
        "results/{dataset}/logs/index_pool/{pool}_{stack}.log",
    benchmark:
        "results/{dataset}/benchmarks/index_pool/{pool}_{stack}.tsv"
    # Unfit images are to be found before time is spent on anything else.
    priority: 10
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        settings=pool_settings,
        files=pool_files,
        version=VERSIONS["index_pool"],
    script:
        "../scripts/index_pool.py"


rule ingest:
    input:
        files="results/{dataset}/data/{pool}/{stack}.files.json",
    output:
        manifest="results/{dataset}/data/{pool}/{stack}.manifest.json",
    log:
        "results/{dataset}/logs/ingest/{pool}_{stack}.log",
    benchmark:
        "results/{dataset}/benchmarks/ingest/{pool}_{stack}.tsv"
    priority: 10
    conda:
        "../../environment.yml"
    threads: plan.config["runtime"]["threads"]
    resources:
        mem_mb=memory,
        runtime="4h",
        cost=cost,
    params:
        settings=pool_settings,
        version=VERSIONS["ingest"],
    script:
        "../scripts/ingest.py"


rule check_pools:
    input:
        wanted_pixels(),
    output:
        "results/{dataset}/data/checked.json",
    log:
        "results/{dataset}/logs/check_pools.log",
    benchmark:
        "results/{dataset}/benchmarks/check_pools.tsv"
    priority: 10
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        needs=plan.needs(),
        version=VERSIONS["check_pools"],
    script:
        "../scripts/check_pools.py"
