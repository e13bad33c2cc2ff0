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
    localrule: True
    params:
        rows=table_of_rounds(),
        absent=plan.left_out(),
        version=VERSIONS["tabulate_rounds"],
    script:
        "../scripts/tabulate_rounds.py"


rule judge:
    input:
        models=[plan.model(*one) for one in plan.table_rounds()],
        noisy=[plan.pool(plan.methods[v]["noisy"]) for v, _ in plan.table_rounds()],
    output:
        **table("judged"),
    threads: plan.config["runtime"]["threads"]
    resources:
        runtime="1h",
        gpu=min(1, GPUS),
    params:
        rounds=plan.table_rounds(),
        version=VERSIONS["judge"],
    script:
        "../scripts/judge.py"


rule plot_rounds:
    input:
        table="results/{dataset}/tables/rounds.csv",
    output:
        **figure("rounds"),
    localrule: True
    params:
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_rounds.py"


rule plot_training:
    input:
        histories=[plan.history(variant, k) for variant, k in plan.own_rounds()],
    output:
        **figure("training"),
    localrule: True
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
        **figure("noise"),
    localrule: True
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
        **figure("crops"),
    threads: plan.config["runtime"]["threads"]
    resources:
        gpu=min(1, GPUS),
    params:
        rounds=[pictured(one) for one in plan.rounds[plan.shown()]],
        crops=plan.config["figures"]["crops"],
        size=plan.config["figures"]["crop_px"],
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_crops.py"
