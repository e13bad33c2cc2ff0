"""The paper's tables, for the target `paper`: what the config's section paper asks for.

in   results/{dataset}/{variant}/round_{k}/scores/{test}.csv, model.json
out  results/{dataset}/baselines/{baseline}/scores/{test}.csv
     results/{dataset}/{variant}/round_{k}/cost.json
     results/{dataset}/tables/{name}.csv, .md, .tex
"""


rule paper:
    input:
        results_wanted(),
        paper_wanted(),
        f"results/{plan.dataset}/report.html",
    localrule: True


rule evaluate_baseline:
    input:
        test="results/{dataset}/data/{pool}/image.manifest.json",
        truth="results/{dataset}/data/{pool}/truth.manifest.json",
    output:
        scores="results/{dataset}/baselines/{baseline}/scores/{pool}.csv",
    threads: plan.config["runtime"]["threads"]
    resources:
        runtime="12h",
    params:
        protocols=plan.config["method"]["evaluation"]["protocols"],
        version=VERSIONS["evaluate_baseline"],
    script:
        "../scripts/evaluate_baseline.py"


rule measure_cost:
    input:
        model=trained_model,
    output:
        "results/{dataset}/{variant}/round_{k}/cost.json",
    # All of them, so that no other job disturbs the clock.
    threads: workflow.resource_settings.cores or 1
    resources:
        gpu=min(1, GPUS),
    params:
        version=VERSIONS["measure_cost"],
    script:
        "../scripts/measure_cost.py"


rule tabulate_comparison:
    input:
        scores=[path for method in METHODS for path in method["scores"]],
        files=compared_files(),
    output:
        **table("comparison"),
    localrule: True
    params:
        rows=METHODS,
        version=VERSIONS["tabulate_comparison"],
    script:
        "../scripts/tabulate_comparison.py"


rule tabulate_paper:
    input:
        files_of_table,
    output:
        **table("{table}"),
    wildcard_constraints:
        table="|".join(TABLES) or "none",
    localrule: True
    params:
        title=lambda wildcards: TABLES[wildcards.table].title,
        rows=rows_of_table,
        version=VERSIONS["tabulate_paper"],
    script:
        "../scripts/tabulate_paper.py"


rule judge_claims:
    input:
        judged_tables(),
    output:
        **table("claims"),
    localrule: True
    params:
        steps=paper_steps(),
        left_out=left_out(),
        version=VERSIONS["judge_claims"],
    script:
        "../scripts/judge_claims.py"
