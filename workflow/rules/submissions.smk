"""Denoised images for the servers of benchmarks, which keep the truth.

in   results/{dataset}/data/{pool}/image.manifest.json          the benchmark's noisy images
     results/{dataset}/{variant}/round_{k}/model.json       the last round's network
out  results/{dataset}/{variant}/round_{k}/denoised/{pool}_{num_masks}.zarr    with a manifest likewise
     results/{dataset}/submissions/{name}/...               listed in bundle.json
"""


rule denoise_pool:
    input:
        noisy="results/{dataset}/data/{pool}/image.manifest.json",
        model=trained_model,
    output:
        manifest="results/{dataset}/{variant}/round_{k}/denoised/{pool}_{num_masks}.manifest.json",
    threads: plan.config["runtime"]["threads"]
    resources:
        runtime="12h",
        gpu=min(1, GPUS),
    params:
        masking=lambda wildcards: round_settings("evaluate")(wildcards)["masking"],
        seed=lambda wildcards: round_settings("evaluate")(wildcards)["seed"],
        version=VERSIONS["denoise_pool"],
    script:
        "../scripts/denoise_pool.py"


rule bundle_submission:
    input:
        lambda wildcards: plan.denoised(wildcards.name),
    output:
        "results/{dataset}/submissions/{name}/bundle.json",
    localrule: True
    params:
        settings=lambda wildcards: plan.config["submissions"][wildcards.name],
        version=VERSIONS["bundle_submission"],
    script:
        "../scripts/bundle_submission.py"
