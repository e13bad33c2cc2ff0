"""A round: draw the noise bank from the last network, train the next, score it.

in   results/{dataset}/data/{pool}/*.manifest.json          clean, noisy and test pixels
     results/{dataset}/awgn/.../noise.manifest.json         the bank of round 0
out  results/{dataset}/{variant}/round_{k}/noise.zarr   N_k; listed in noise.manifest.json
     results/{dataset}/{variant}/round_{k}/model.safetensors, model.json, history.csv
     results/{dataset}/{variant}/round_{k}/scores/{test}.csv
"""


rule extract_noise:
    input:
        unpack(noisy_look),
        noisy=noisy_pixels,
        model=previous_model,
    output:
        manifest="results/{dataset}/{variant}/round_{k}/noise.manifest.json",
    priority: rounds_behind
    threads: extraction_threads
    resources:
        mem_mb=extraction_memory,
        runtime="4h",
        gpu=extraction_gpus,
        cpus_per_task=extraction_threads,
    params:
        settings=round_settings("extract"),
        version=VERSIONS["extract_noise"],
    script:
        "../scripts/extract_noise.py"


rule choose_ratio:
    input:
        unpack(seen),
        noisy=tried_pixels,
    output:
        choice="results/{dataset}/{variant}/round_{k}/choice.json",
        table="results/{dataset}/{variant}/round_{k}/choice.csv",
    priority: rounds_behind
    threads: plan.config["runtime"]["threads"]
    resources:
        mem_mb=memory_mb("train_round", plan.config),
        runtime="4h",
        gpu=int(ON_GPU),
        cpus_per_task=plan.config["runtime"]["threads"],
    params:
        settings=round_settings("train"),
        version=VERSIONS["choose_ratio"],
    script:
        "../scripts/choose_ratio.py"


rule train_round:
    input:
        unpack(training_input),
    output:
        model="results/{dataset}/{variant}/round_{k}/model.json",
        weights="results/{dataset}/{variant}/round_{k}/model.safetensors",
        history="results/{dataset}/{variant}/round_{k}/history.csv",
    wildcard_constraints:
        variant="|".join(name for name in plan.rounds if name not in PUBLISHED),
    priority: rounds_behind
    threads: training_threads
    resources:
        mem_mb=training_memory,
        runtime="2d",
        gpu=training_gpus,
        # In SLURM, `--cores` of the login node must not lower the threads.
        cpus_per_task=training_threads,
    params:
        settings=round_settings("train"),
        version=VERSIONS["train_round"],
    script:
        "../scripts/train_round.py"


rule evaluate:
    input:
        test=scored_pixels,
        truth="results/{dataset}/data/{pool}/truth.manifest.json",
        model=trained_model,
    output:
        scores="results/{dataset}/{variant}/round_{k}/scores/{pool}.csv",
    threads: plan.config["runtime"]["threads"]
    resources:
        runtime="4h",
        gpu=min(1, GPUS),
    params:
        settings=round_settings("evaluate"),
        version=VERSIONS["evaluate"],
    script:
        "../scripts/evaluate.py"
