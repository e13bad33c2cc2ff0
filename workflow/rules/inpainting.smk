"""What inpainters of clean images can do: the paper's Figures 4 and 5.

in   results/{dataset}/{variant}/round_0/history.csv, model.json   one for each ratio
     results/{dataset}/data/{test}/truth.manifest.json                 held-out clean images
out  results/{dataset}/figures/inpainter.*, inpainted.*
"""


rule plot_inpainter:
    input:
        histories=[plan.history(variant, 0) for variant in INPAINTERS.values()],
    output:
        png=report(
            "results/{dataset}/figures/inpainter.png",
            caption="../report/inpainter.rst",
            category="Figures",
        ),
        pdf="results/{dataset}/figures/inpainter.pdf",
    log:
        "results/{dataset}/logs/plot_inpainter.log",
    benchmark:
        "results/{dataset}/benchmarks/plot_inpainter.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
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
        png=report(
            "results/{dataset}/figures/inpainted.png",
            caption="../report/inpainted.rst",
            category="Figures",
        ),
        pdf="results/{dataset}/figures/inpainted.pdf",
    log:
        "results/{dataset}/logs/plot_inpainted.log",
    benchmark:
        "results/{dataset}/benchmarks/plot_inpainted.tsv"
    conda:
        "../../environment.yml"
    threads: plan.config["runtime"]["threads"]
    resources:
        mem_mb=memory,
        runtime="1h",
        cost=cost,
    params:
        settings=lambda wildcards: pictured(plan.rounds[SHOWN_INPAINTER][0]),
        crops=plan.config["figures"]["crops"],
        size=plan.config["figures"]["crop_px"],
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_inpainted.py"
