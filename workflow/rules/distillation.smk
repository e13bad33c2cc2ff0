"""A teacher's targets: what MID's last network predicts of the real noisy images.

in   results/{dataset}/data/{pool}/image.manifest.json          the noisy images
     results/{dataset}/{variant}/round_{k}/model.json       the teacher
out  results/{dataset}/{variant}/round_0/targets.zarr       listed in targets.manifest.json
"""


rule distillation_targets:
    input:
        unpack(noisy_look),
        noisy=noisy_pixels,
        model=previous_model,
    output:
        manifest="results/{dataset}/{variant}/round_{k}/targets.manifest.json",
    priority: rounds_behind
    threads: plan.config["runtime"]["threads"]
    resources:
        runtime="12h",
        gpu=int(ON_GPU),
        cpus_per_task=plan.config["runtime"]["threads"],
    params:
        settings=round_settings("extract"),
        version=VERSIONS["distillation_targets"],
    script:
        "../scripts/distillation_targets.py"
