"""Other methods beside MID, for the target `compare`: the config's section compared.

Their trainings are rounds of their own; see rounds.smk.

in   results/{dataset}/{variant}/round_{k}/scores/{test}.csv, model.json
out  results/{dataset}/baselines/{baseline}/scores/{test}.csv    methods without training
     results/{dataset}/{variant}/round_{k}/cost.json
     results/{dataset}/tables/comparison.csv, .md, .tex, compared.csv
     results/{dataset}/figures/tradeoff.png, .pdf
"""


rule compare:
    input:
        comparison_wanted(),
        f"results/{plan.dataset}/tables/lineage_compare.csv",
    localrule: True


rule evaluate_baseline:
    input:
        unpack(bank_for_level),
        test="results/{dataset}/data/{pool}/image.manifest.json",
        truth="results/{dataset}/data/{pool}/truth.manifest.json",
    output:
        scores="results/{dataset}/baselines/{baseline}/scores/{pool}.csv",
    wildcard_constraints:
        baseline="|".join(BASELINES) or "none",
    threads: plan.config["runtime"]["threads"]
    resources:
        runtime="12h",
    params:
        function=lambda wildcards: BASELINES[wildcards.baseline].function,
        options=lambda wildcards: BASELINES[wildcards.baseline].options,
        protocols=plan.config["method"]["evaluation"]["protocols"],
        version=VERSIONS["evaluate_baseline"],
    script:
        "../scripts/evaluate_baseline.py"


rule take_weights:
    input:
        file=published_file,
    output:
        model="results/{dataset}/{variant}/round_{k}/model.json",
        weights="results/{dataset}/{variant}/round_{k}/model.safetensors",
    wildcard_constraints:
        variant="|".join(PUBLISHED) or "none",
    localrule: True
    params:
        settings=round_settings("train"),
        version=VERSIONS["take_weights"],
    script:
        "../scripts/take_weights.py"


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
        scores=[p for row in METHODS for run in row["runs"] for p in run["scores"]],
        models=compared_models(),
        files=compared_files(),
    output:
        **table("comparison"),
        rows="results/{dataset}/tables/compared.csv",
    localrule: True
    params:
        rows=METHODS,
        version=VERSIONS["tabulate_comparison"],
    script:
        "../scripts/tabulate_comparison.py"


rule plot_tradeoff:
    input:
        rows="results/{dataset}/tables/compared.csv",
    output:
        **figure("tradeoff"),
    localrule: True
    params:
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_tradeoff.py"
