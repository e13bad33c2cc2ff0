"""Tables and figures of the rounds.

in   results/{dataset}/{variant}/round_{k}/...   scores, models, histories, noise
out  results/{dataset}/tables/rounds.csv, .md, .tex
     results/{dataset}/figures/*.png, *.pdf
"""


rule tabulate_rounds:
    input:
        scores=[row["scores"] for row in table_of_rounds()],
        models=[row["model"] for row in table_of_rounds()],
    output:
        csv=report(
            "results/{dataset}/tables/rounds.csv",
            caption="../report/rounds.rst",
            category="Tables",
        ),
        md="results/{dataset}/tables/rounds.md",
        tex="results/{dataset}/tables/rounds.tex",
    log:
        "results/{dataset}/logs/tabulate_rounds.log",
    benchmark:
        "results/{dataset}/benchmarks/tabulate_rounds.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        rows=table_of_rounds(),
        absent=plan.left_out(),
        version=VERSIONS["tabulate_rounds"],
    script:
        "../scripts/tabulate_rounds.py"


rule plot_rounds:
    input:
        table="results/{dataset}/tables/rounds.csv",
    output:
        png=report(
            "results/{dataset}/figures/rounds.png",
            caption="../report/psnr.rst",
            category="Figures",
        ),
        pdf="results/{dataset}/figures/rounds.pdf",
    log:
        "results/{dataset}/logs/plot_rounds.log",
    benchmark:
        "results/{dataset}/benchmarks/plot_rounds.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_rounds.py"


rule plot_training:
    input:
        histories=[plan.history(variant, k) for variant, k in plan.own_rounds()],
    output:
        png=report(
            "results/{dataset}/figures/training.png",
            caption="../report/training.rst",
            category="Figures",
        ),
        pdf="results/{dataset}/figures/training.pdf",
    log:
        "results/{dataset}/logs/plot_training.log",
    benchmark:
        "results/{dataset}/benchmarks/plot_training.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        rounds=plan.own_rounds(),
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_training.py"


rule plot_noise:
    input:
        # Not the true noise of which only the paper's tables make use.
        unpack(lambda wildcards: shown_noise(wildcards, plan.asked())),
    output:
        png=report(
            "results/{dataset}/figures/noise.png",
            caption="../report/noise.rst",
            category="Figures",
        ),
        pdf="results/{dataset}/figures/noise.pdf",
    log:
        "results/{dataset}/logs/plot_noise.log",
    benchmark:
        "results/{dataset}/benchmarks/plot_noise.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_noise.py"


rule plot_crops:
    input:
        test=plan.pool(plan.tests[0]) if plan.tests else [],
        truth=plan.pool(plan.tests[0], "truth") if plan.tests else [],
        models=[plan.model(plan.shown(), k) for k in shown_rounds()],
    output:
        png=report(
            "results/{dataset}/figures/crops.png",
            caption="../report/crops.rst",
            category="Figures",
        ),
        pdf="results/{dataset}/figures/crops.pdf",
    log:
        "results/{dataset}/logs/plot_crops.log",
    benchmark:
        "results/{dataset}/benchmarks/plot_crops.tsv"
    conda:
        "../../environment.yml"
    threads: plan.config["runtime"]["threads"]
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        rounds=[pictured(one) for one in plan.rounds[plan.shown()]],
        crops=plan.config["figures"]["crops"],
        size=plan.config["figures"]["crop_px"],
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_crops.py"
