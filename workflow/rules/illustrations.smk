"""The paper's pictures: the method, crops of all methods, what white noise leaves.

in   results/{dataset}/figures/methods/index.json     the same windows by every method
     results/{dataset}/{variant}/round_{k}/...        the rounds of the shown variant
out  results/{dataset}/figures/method.*, methods.*, remains.*
"""


rule plot_method:
    input:
        unpack(method_input),
    output:
        **figure("method"),
    localrule: True
    params:
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_method.py"


rule plot_methods:
    input:
        index="results/{dataset}/figures/methods/index.json",
    output:
        expand(
            "results/{{dataset}}/figures/{name}.{kind}",
            name=["methods", "remains"],
            kind=["png", "pdf"],
        ),
    localrule: True
    params:
        size=plan.config["figures"]["crop_px"],
        version=VERSIONS["figures"],
    script:
        "../scripts/plot_methods.py"
