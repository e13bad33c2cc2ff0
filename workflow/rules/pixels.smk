"""Pools of images: listed, checked, decoded once.

in   the image files of a pool, wherever its reader finds them
out  results/{dataset}/data/{pool}/split.json    the sides of a split data set
     results/{dataset}/data/{pool}/files.json    the list of its files
     results/{dataset}/data/doctor.txt           what is wrong with any file: nothing
     results/{dataset}/data/{pool}/image.zarr    its pixels; sealed by image.seal.json
     results/{dataset}/data/{pool}/truth.zarr    its clean partners, where they are needed
     results/{dataset}/data/checked.json         all pools are there and fit the method
"""


rule split_pool:
    output:
        "results/{dataset}/data/{pool}/split.json",
    log:
        "results/{dataset}/logs/split_pool/{pool}.log",
    benchmark:
        "results/{dataset}/benchmarks/split_pool/{pool}.tsv"
    priority: 10
    conda:
        "../../environment.yml"
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
        "results/{dataset}/data/{pool}/files.json",
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
        stacks=lambda wildcards: plan.stacks(wildcards.pool),
        files=pool_files,
        version=VERSIONS["index_pool"],
    script:
        "../scripts/index_pool.py"


rule doctor:
    input:
        **{pool: plan.files(pool) for pool in plan.pools()},
    output:
        "results/{dataset}/data/doctor.txt",
    log:
        "results/{dataset}/logs/doctor.log",
    benchmark:
        "results/{dataset}/benchmarks/doctor.tsv"
    priority: 10
    conda:
        "../../environment.yml"
    params:
        pools={pool: plan.config["pools"][pool] for pool in plan.pools()},
        uses=plan.uses(),
        version=VERSIONS["doctor"],
    script:
        "../scripts/doctor.py"


rule ingest:
    input:
        files="results/{dataset}/data/{pool}/files.json",
        # Orders the jobs only: no image is decoded before all files proved sound.
        doctor=ancient("results/{dataset}/data/doctor.txt"),
    output:
        seal="results/{dataset}/data/{pool}/{stack}.seal.json",
    log:
        "results/{dataset}/logs/ingest/{pool}_{stack}.log",
    benchmark:
        "results/{dataset}/benchmarks/ingest/{pool}_{stack}.tsv"
    priority: 10
    conda:
        "../../environment.yml"
    threads: plan.config["runtime"]["threads"]
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
        [plan.pool(pool, stack) for pool in plan.pools() for stack in plan.stacks(pool)],
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
