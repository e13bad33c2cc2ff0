"""What the tables, figures and the report show: the leaves of the graph. No rules."""

from mid_config.comparison import (
    compared_rows,
    pictured_methods,
    pictured_rounds,
    shown_method,
)
from mid_config.paper import inpainters, paper_tables
from mid_config.paper_rows import paper_rounds, table_rows

# The paper's tables, where the config asks for them.
SCORED = "paper" in plan.config and bool(plan.tests)
TABLES = paper_tables(plan.config) if SCORED else {}
METHODS = compared_rows(plan)
PAPER_ROUNDS = paper_rounds(plan) if SCORED else []
INPAINTERS = inpainters(plan.config) if SCORED else {}
# The paper's pictures are of 80 %.
SHOWN_INPAINTER = (
    INPAINTERS[min(INPAINTERS, key=lambda ratio: abs(ratio - 0.8))]
    if INPAINTERS
    else ""
)
# Of the compared methods: those without training, and those with somebody's weights.
BASELINES = {name: own for name, own in plan.compared.items() if own.function}
PUBLISHED = {
    name: own.rounds[0].train["weights"]
    for name, own in plan.compared.items()
    if own.rounds and "weights" in own.rounds[0].train
}
REALISM_FIGURES = ["realism", "brightness", "autocorrelation", "gap"]
# The variant of the paper's tables, of which its figures are, too.
PAPER_VARIANT = plan.paper_variant()
# Whether the noise of its noisy images is known.
REALISM = plan.methods[PAPER_VARIANT]["noisy"] in plan.ceilings()
# Whose pictures stand beside each other: of a run alone, or of the table of methods.
PICTURES = {"compared": pictured_rounds(plan), "methods": pictured_methods(plan)}
# A figure whose caption goes by another name.
CAPTIONS = {"rounds": "psnr"}


def figure(name):
    """The files of a figure; one of them is in Snakemake's own report, too."""
    path, caption = f"results/{{dataset}}/figures/{name}", CAPTIONS.get(name, name)
    caption = f"../report/{caption}.rst"
    png = report(f"{path}.png", caption=caption, category="Figures")
    return {"png": png, "pdf": f"{path}.pdf"}


def table(name):
    """The files of a table."""
    path = f"results/{{dataset}}/tables/{name}"
    return {kind: f"{path}.{kind}" for kind in ("csv", "md", "tex")}


def pictured_inpainter(wildcards):
    settings = plan.rounds[SHOWN_INPAINTER][0].train["held_out"]
    clean = plan.pool(settings["pool"], "truth")
    return {"clean": clean, "model": plan.model(SHOWN_INPAINTER, 0)}


def held_out_images():
    """On what the inpainters are scored while they are trained."""
    own = plan.rounds[SHOWN_INPAINTER][0].train["held_out"] if INPAINTERS else {}
    return "held-out truths of {pool}: n = {crops} crops".format(**own) if own else ""


def pictured(one):
    """How a round denoises for a picture: its scores' protocols are no matter there."""
    return {name: one.evaluate[name] for name in ("num_masks", "masking", "seed")}


def shown_rounds():
    """The rounds of the variant that is drawn."""
    return range(len(plan.rounds[plan.shown()]))


def table_of_rounds():
    """Where each row of the table of rounds comes from: plain values, for params."""
    return [
        {
            "variant": variant,
            "round": k,
            "test": test,
            "scores": plan.scores(variant, k, test),
            "model": plan.model(variant, k),
        }
        for variant, k in plan.table_rounds()
        for test in plan.tests
    ]


def shown_noise(wildcards, variants=None, shown=plan.shown()):
    """The banks of a variant, and the true noise where it is known.

    It is where one of these variants trains on it; None: any.
    """
    banks = plan.noise_banks(shown)
    noisy = plan.methods[shown]["noisy"]
    if noisy in plan.ceilings(variants):
        banks["true noise"] = f"results/{plan.dataset}/data/{noisy}/noise.manifest.json"
    return banks


def paper_noise(wildcards):
    """The banks of the paper's variant, and the true noise."""
    return shown_noise(wildcards, shown=PAPER_VARIANT)


def realism_input(wildcards):
    """The banks of the paper's variant, the true noise, the clean images under it."""
    noisy = plan.methods[PAPER_VARIANT]["noisy"]
    return paper_noise(wildcards) | {"clean": plan.pool(noisy, "truth")}


def method_input(wildcards):
    """The pools, banks and networks of the paper's variant, and its answers' scores."""
    shown = PAPER_VARIANT
    pools = {"X": plan.methods[shown]["clean"], "Y": plan.methods[shown]["noisy"]}
    made = {name: plan.pool(pool) for name, pool in pools.items()}
    rounds = range(len(plan.rounds[shown]))
    made |= {f"N_{k}": plan.bank(shown, k) for k in rounds}
    made |= {f"D_{k}": plan.model(shown, k) for k in rounds}
    return made | {"scores": plan.scores(shown, rounds[-1], plan.tests[0])}


def results_wanted():
    """The leaves of the graph: models, tables and figures that the config allows."""
    wanted = [plan.model(variant, k) for variant, k in plan.table_rounds()]
    wanted.append(f"results/{plan.dataset}/data/checked.json")
    wanted.append(f"results/{plan.dataset}/tables/judged.md")
    figures = ["noise", "training"]
    if plan.tests or plan.left_out():
        wanted.append(f"results/{plan.dataset}/tables/rounds.md")
    if plan.tests:
        figures += ["rounds", "crops"]
    wanted += [plan.bundle(name) for name in plan.submissions]
    return wanted + [f"results/{plan.dataset}/figures/{name}.png" for name in figures]


def paper_wanted():
    """The leaves of the target `paper`."""
    if "paper" not in plan.config:
        return []
    tables, figures = [], []
    if SCORED:
        tables += ["comparison", *TABLES]
        figures += ["method", "methods", "remains", "tradeoff"]
    if INPAINTERS:
        figures += ["inpainter", "inpainted"]
    if REALISM:
        tables += ["realism", "gap"]
        figures += REALISM_FIGURES
    folder = f"results/{plan.dataset}"
    wanted = [f"{folder}/tables/{name}.md" for name in (*tables, "claims")]
    return wanted + [f"{folder}/figures/{name}.png" for name in figures]


def left_out():
    """What the target `paper` cannot make of these pools, and why: in sentences."""
    noisy = plan.methods[PAPER_VARIANT]["noisy"]
    said = [
        f"as there is no folder {path}: {pool}"
        for pool, path in plan.left_out().items()
    ]
    if not plan.tests:
        said.append("without a pool under `tests`: Tables and Figures 1 to 7")
    if not REALISM:
        said.append(f"without a truth of pool {noisy}: the ceiling, realism, the gap")
    return said


def paper_steps():
    """Steps of the paper's variant in a training."""
    return plan.methods[PAPER_VARIANT]["training"]["iterations"]


def judged_tables():
    """The tables on which the paper's claims are judged."""
    known = ["components", "by_round", "ensemble", "ratios", "inpainting", "networks"]
    judged = [name for name in known if name in TABLES]
    judged += ["comparison"] if SCORED else []
    judged += ["realism", "gap"] if REALISM else []
    return [f"results/{plan.dataset}/tables/{name}.csv" for name in judged]


def published_file(wildcards):
    return PUBLISHED[wildcards.variant]


def bank_for(options):
    """MID's last noise bank, for methods that are given its spectrum."""
    banks = list(plan.noise_banks(PAPER_VARIANT).values())
    wanted = "spectrum" in [own.get("level") for own in options]
    return {"bank": banks[-1]} if wanted and banks else {}


def bank_for_level(wildcards):
    return bank_for([BASELINES[wildcards.baseline].options])


def compared_files():
    """What tells whether a method saw the images on which it is scored."""
    saw = [pool for method in METHODS for pool in method["saw"]]
    return [plan.files(pool) for pool in dict.fromkeys([*plan.tests, *saw])]


def compared_models():
    """The cards and costs of the compared methods' networks."""
    cards = [card for row in METHODS for run in row["runs"] for card in run["models"]]
    return list(
        dict.fromkeys([*cards, *(row["cost"] for row in METHODS if row["cost"])])
    )


def comparison_wanted():
    """The leaves of the target `compare`, but for which images its jobs opened."""
    if not plan.tests:
        return []
    folder = f"results/{plan.dataset}"
    figures = [f"{folder}/figures/tradeoff.png", f"{folder}/figures/methods/index.json"]
    return [f"{folder}/tables/comparison.md", *figures]


def rows_of_table(wildcards):
    return table_rows(plan, TABLES[wildcards.table])


def files_of_rows(rows):
    for row in rows:
        yield from (path for paths in row["scores"] for path in paths)
        yield from filter(None, [row["cost"]])


def files_of_table(wildcards):
    return files_of_rows(rows_of_table(wildcards))


def wanted_pixels():
    """The manifests of all pixels that are opened."""
    pools = plan.pools()
    return [plan.pool(pool, stack) for pool in pools for stack in plan.stacks(pool)]
