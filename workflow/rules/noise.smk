"""Noise that no network makes: white, measured, and the truth where it is known.

in   results/{dataset}/data/{pool}/*.manifest.json       a pool with a truth
out  results/{dataset}/awgn/{name}/noise.zarr        N_0; listed in noise.manifest.json
     results/{dataset}/data/{pool}/look.json         what a pool's noise is like
     results/{dataset}/measured/{name}/noise.zarr    Gaussian noise that is like it
     results/{dataset}/data/{pool}/noise.zarr       noisy minus clean
"""


rule awgn_bank:
    output:
        manifest="results/{dataset}/awgn/{name}/noise.manifest.json",
    # Every first training waits for it, and it is short: before the pools.
    priority: 20
    localrule: True
    resources:
        runtime="30m",
    params:
        settings=lambda wildcards: plan.awgn()[wildcards.name],
        version=VERSIONS["awgn_bank"],
    script:
        "../scripts/awgn_bank.py"


rule look:
    input:
        noisy="results/{dataset}/data/{pool}/image.manifest.json",
    output:
        "results/{dataset}/data/{pool}/look.json",
    priority: 20
    resources:
        runtime="30m",
    params:
        version=VERSIONS["look"],
    script:
        "../scripts/look.py"


rule measured_bank:
    input:
        look=lambda wildcards: plan.look(plan.measured()[wildcards.name]["pool"]),
    output:
        manifest="results/{dataset}/measured/{name}/noise.manifest.json",
    priority: 20
    localrule: True
    resources:
        runtime="30m",
    params:
        settings=lambda wildcards: plan.measured()[wildcards.name],
        version=VERSIONS["measured_bank"],
    script:
        "../scripts/measured_bank.py"


rule true_noise:
    input:
        noisy="results/{dataset}/data/{pool}/image.manifest.json",
        truth="results/{dataset}/data/{pool}/truth.manifest.json",
    output:
        manifest="results/{dataset}/data/{pool}/noise.manifest.json",
    resources:
        runtime="2h",
    params:
        version=VERSIONS["true_noise"],
    script:
        "../scripts/true_noise.py"
