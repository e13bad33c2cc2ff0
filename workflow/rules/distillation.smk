"""A teacher's targets: what MID's last network predicts of the real noisy images.

in   results/{dataset}/data/{pool}/image.manifest.json          the noisy images
     results/{dataset}/{variant}/round_{k}/model.json       the teacher
out  results/{dataset}/{variant}/round_0/targets.zarr       listed in targets.manifest.json
"""


rule distillation_targets:
    input:
        noisy=noisy_pixels,
        model=previous_model,
    output:
        manifest="results/{dataset}/{variant}/round_{k}/targets.manifest.json",
    log:
        "results/{dataset}/logs/distillation_targets/{variant}_{k}.log",
    benchmark:
        "results/{dataset}/benchmarks/distillation_targets/{variant}_{k}.tsv"
    priority: rounds_behind
    conda:
        "../../environment.yml"
    threads: plan.config["runtime"]["threads"]
    resources:
        mem_mb=memory,
        runtime="12h",
        gpu=int(ON_GPU),
        cpus_per_task=plan.config["runtime"]["threads"],
        cost=cost,
    params:
        settings=round_settings("extract"),
        version=VERSIONS["distillation_targets"],
    script:
        "../scripts/distillation_targets.py"
