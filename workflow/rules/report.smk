"""Everything in one file, for the target `report`.

in   results/{dataset}/tables/*.md, figures/*.png   what the config asks for, in order
     results/{dataset}/{variant}/round_{k}/...       models, noise
out  results/{dataset}/figures/compared/index.json   the same windows by each of MID's networks
     results/{dataset}/figures/methods/index.json    and by the compared methods, too
     results/{dataset}/report.html
"""


rule compare_images:
    input:
        unpack(method_pictures),
        test=plan.pool(
            plan.tests[0] if plan.tests else plan.methods[plan.shown()]["noisy"]
        ),
        truth=plan.pool(plan.tests[0], "truth") if plan.tests else [],
    output:
        index="results/{dataset}/figures/{pictures}/index.json",
    wildcard_constraints:
        pictures="compared|methods",
    threads: plan.config["runtime"]["threads"]
    resources:
        runtime="4h",
        gpu=min(1, GPUS),
    params:
        methods=lambda wildcards: PICTURES[wildcards.pictures],
        shown=shown_in_pictures,
        protocols=plan.config["method"]["evaluation"]["protocols"],
        images=min(3, plan.config["figures"]["crops"]),
        size=448,
        version=VERSIONS["compare_images"],
    script:
        "../scripts/compare_images.py"


rule report:
    input:
        tables=lambda wildcards: shown_results(".md"),
        figures=lambda wildcards: shown_results(".png"),
        others=lambda wildcards: shown_results(".json"),
        compared=lambda wildcards: shown_pictures(),
        judged=f"results/{plan.dataset}/tables/judged.csv",
        banks=shown_noise({}).values(),
        models=lambda wildcards: models_table().values(),
        lineage=lambda wildcards: (
            f"results/{plan.dataset}/tables/{lineage_table()}.csv"
        ),
    output:
        f"results/{plan.dataset}/report.html",
    localrule: True
    params:
        captions=lambda wildcards: captions(),
        banks=list(shown_noise({})),
        models=lambda wildcards: list(models_table()),
        version=VERSIONS["report"],
    script:
        "../scripts/report.py"
