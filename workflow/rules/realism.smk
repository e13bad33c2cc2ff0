"""How real the banks are, and what masks do for it, where the true noise is known.

in   results/{dataset}/{variant}/round_{k}/noise.manifest.json   the banks of the paper's variant
     results/{dataset}/data/{pool}/noise.manifest.json          the true noise
out  results/{dataset}/tables/realism.*, gap.*           CSV, Markdown, LaTeX
     results/{dataset}/figures/realism.*, brightness.*, autocorrelation.*, gap.*
"""


rule measure_realism:
    input:
        unpack(realism_input),
    output:
        realism="results/{dataset}/tables/realism.csv",
        gap="results/{dataset}/tables/gap.csv",
    params:
        variant=PAPER_VARIANT,
        version=VERSIONS["measure_realism"],
    script:
        "../scripts/measure_realism.py"


rule tabulate_realism:
    input:
        "results/{dataset}/tables/{measured}.csv",
    output:
        md="results/{dataset}/tables/{measured}.md",
        tex="results/{dataset}/tables/{measured}.tex",
    wildcard_constraints:
        measured="realism|gap",
    localrule: True
    params:
        version=VERSIONS["tabulate_realism"],
    script:
        "../scripts/tabulate_realism.py"


rule plot_realism:
    input:
        unpack(paper_noise),
        realism="results/{dataset}/tables/realism.csv",
        gap="results/{dataset}/tables/gap.csv",
    output:
        expand(
            "results/{{dataset}}/figures/{name}.{kind}",
            name=REALISM_FIGURES,
            kind=["png", "pdf"],
        ),
    localrule: True
    params:
        variant=PAPER_VARIANT,
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_realism.py"
