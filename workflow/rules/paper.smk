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
    log:
        "results/{dataset}/logs/evaluate_baseline/{baseline}_{pool}.log",
    benchmark:
        "results/{dataset}/benchmarks/evaluate_baseline/{baseline}_{pool}.tsv"
    conda:
        "../../environment.yml"
    threads: plan.config["runtime"]["threads"]
    resources:
        mem_mb=memory,
        runtime="12h",
        cost=cost,
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
    log:
        "results/{dataset}/logs/measure_cost/{variant}_{k}.log",
    benchmark:
        "results/{dataset}/benchmarks/measure_cost/{variant}_{k}.tsv"
    conda:
        "../../environment.yml"
    # All of them, so that no other job disturbs the clock.
    threads: workflow.cores or 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        version=VERSIONS["measure_cost"],
    script:
        "../scripts/measure_cost.py"


rule tabulate_comparison:
    input:
        scores=[path for method in METHODS for path in method["scores"]],
        files=compared_files(),
    output:
        csv="results/{dataset}/tables/comparison.csv",
        md="results/{dataset}/tables/comparison.md",
        tex="results/{dataset}/tables/comparison.tex",
    log:
        "results/{dataset}/logs/tabulate_comparison.log",
    benchmark:
        "results/{dataset}/benchmarks/tabulate_comparison.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        rows=METHODS,
        version=VERSIONS["tabulate_comparison"],
    script:
        "../scripts/tabulate_comparison.py"


rule tabulate_paper:
    input:
        files_of_table,
    output:
        csv="results/{dataset}/tables/{table}.csv",
        md="results/{dataset}/tables/{table}.md",
        tex="results/{dataset}/tables/{table}.tex",
    log:
        "results/{dataset}/logs/tabulate_paper/{table}.log",
    benchmark:
        "results/{dataset}/benchmarks/tabulate_paper/{table}.tsv"
    wildcard_constraints:
        table="|".join(TABLES) or "none",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
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
        csv="results/{dataset}/tables/claims.csv",
        md="results/{dataset}/tables/claims.md",
        tex="results/{dataset}/tables/claims.tex",
    log:
        "results/{dataset}/logs/judge_claims.log",
    benchmark:
        "results/{dataset}/benchmarks/judge_claims.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        steps=paper_steps(),
        left_out=left_out(),
        version=VERSIONS["judge_claims"],
    script:
        "../scripts/judge_claims.py"
