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
    priority: 10
    localrule: True
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
    # Unfit images are to be found before time is spent on anything else.
    priority: 10
    localrule: True
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
    priority: 10
    threads: plan.config["runtime"]["threads"]
    resources:
        runtime="4h",
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
    priority: 10
    localrule: True
    params:
        needs=plan.needs(),
        version=VERSIONS["check_pools"],
    script:
        "../scripts/check_pools.py"
