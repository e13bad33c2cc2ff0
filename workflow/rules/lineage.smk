"""Which images each job opened: of the default target, of `compare`, or of all the paper's.

in   results/{dataset}/...                      every leaf, so that no job is left out
     results/{dataset}/data/{pool}/*.manifest.json  pixels, whose images have files
out  results/{dataset}/tables/lineage.csv, lineage_compare.csv, lineage_paper.csv
"""


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
        lineage="lineage|lineage_paper|lineage_compare",
    localrule: True
    params:
        logs=logs_before,
        version=VERSIONS["lineage"],
    script:
        "../scripts/lineage.py"
