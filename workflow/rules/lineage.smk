"""Which images each job opened: of the default target, or of the paper's jobs, too.

in   results/{dataset}/...                      every leaf, so that no job is left out
     results/{dataset}/data/{pool}/*.seal.json  pixels, whose images have files
out  results/{dataset}/tables/lineage.csv, lineage_paper.csv
"""


def lineage_input(wildcards):
    """The leaves of a target, by which no job is left out, and the pixels."""
    leaves, pools = results_wanted(), wanted_pixels()
    if wildcards.lineage == "lineage_paper":
        leaves += paper_wanted()
        pools += [plan.pool(pool, "truth") for pool in plan.ceilings()]
    return {"leaves": leaves, "pools": list(dict.fromkeys(pools))}


def further_results(wildcards):
    """What those of the paper's jobs make that may open an image."""
    if wildcards.lineage == "lineage":
        return []
    made = [path for path in paper_wanted() if path.endswith(".png")]
    made += [path for method in METHODS for path in method["scores"]]
    for table in TABLES.values():
        made += files_of_rows(table_rows(plan, table))
    for one in PAPER_ROUNDS:
        made += [plan.bank(*one), plan.model(*one)]
    for pool in plan.ceilings():
        made += [plan.files(pool, "truth"), plan.pool(pool, "truth")]
    folder = f"results/{plan.dataset}"
    made += [f"{folder}/compared/index.json"] if SCORED else []
    return made + ([f"{folder}/tables/realism.csv"] if REALISM else [])


rule lineage:
    input:
        unpack(lineage_input),
    output:
        "results/{dataset}/tables/{lineage}.csv",
    log:
        "results/{dataset}/logs/{lineage}.log",
    benchmark:
        "results/{dataset}/benchmarks/{lineage}.tsv"
    wildcard_constraints:
        lineage="lineage|lineage_paper",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        further=further_results,
        version=VERSIONS["lineage"],
    script:
        "../scripts/lineage.py"
