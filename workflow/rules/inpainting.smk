"""What inpainters of clean images can do: the paper's Figures 4 and 5.

in   results/{dataset}/{variant}/round_0/history.csv, model.json   one for each ratio
     results/{dataset}/data/{test}/truth.manifest.json                 held-out clean images
out  results/{dataset}/figures/inpainter.*, inpainted.*
"""


rule plot_inpainter:
    input:
        histories=[plan.history(variant, 0) for variant in INPAINTERS.values()],
    output:
        **figure("inpainter"),
    localrule: True
    params:
        ratios=list(INPAINTERS),
        images=held_out_images(),
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_inpainter.py"


rule plot_inpainted:
    input:
        unpack(pictured_inpainter),
    output:
        **figure("inpainted"),
    threads: plan.config["runtime"]["threads"]
    resources:
        gpu=min(1, GPUS),
    params:
        settings=lambda wildcards: pictured(plan.rounds[SHOWN_INPAINTER][0]),
        crops=plan.config["figures"]["crops"],
        size=plan.config["figures"]["crop_px"],
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_inpainted.py"
