"""What pictures, the report and the lineage show of the leaves. No rules."""


def method_pictures(wildcards):
    """The networks behind the pictures of several methods, and what else they need."""
    methods = PICTURES[wildcards.pictures]
    models = [method["model"] for method in methods if "model" in method]
    options = [method["options"] for method in methods if "options" in method]
    return {"models": models, **bank_for(options)}


def shown_in_pictures(wildcards):
    """The method that some pictures are all about."""
    own = PAPER_VARIANT if wildcards.pictures == "methods" else plan.shown()
    return shown_method(plan, own)


def shows(target):
    """Whether a report shows what a target makes: it is asked for, or is there."""
    wanted = paper_wanted() if target == "paper" else comparison_wanted()
    if target in workflow.dag_settings.targets:
        return True
    return bool(wanted) and all(map(os.path.isfile, wanted))


def shown_pictures():
    """The pictures of a report: with the compared methods, where it shows these."""
    known = plan.tests and (shows("compare") or shows("paper"))
    name = "methods" if known else "compared"
    return f"results/{plan.dataset}/figures/{name}/index.json"


def shown_results(suffix):
    """The tables or figures of the config, once each: claims, then as the targets do."""
    wanted = [*results_wanted()]
    # A report trains nothing that nobody asked for.
    wanted += paper_wanted() if shows("paper") else []
    if shows("compare"):
        wanted += [p for p in comparison_wanted() if Path(p).stem != "index"]
    wanted = dict.fromkeys(wanted)
    found = [path for path in wanted if path.endswith(suffix)]
    return sorted(found, key=lambda path: Path(path).stem != "claims")


def captions():
    """What each figure's caption says, by the figure's name."""
    names = [Path(path).stem for path in shown_results(".png")]
    files = {
        name: Path(workflow.source_path(f"../report/{CAPTIONS.get(name, name)}.rst"))
        for name in names
    }
    return {
        name: " ".join(file.read_text().replace("``", "").split())
        for name, file in files.items()
    }


def models_table():
    """The cards of the models in tables and pictures, by variant and round."""
    rounds = [*plan.table_rounds(), *(PAPER_ROUNDS if shows("paper") else [])]
    cards = [plan.model(*one) for one in rounds]
    cards += [method["model"] for method in PICTURES["compared"]]
    places = {card: Path(card).parts[2:4] for card in sorted(set(cards))}
    return {f"{v}, {k.replace('_', ' ')}": card for card, (v, k) in places.items()}


def lineage_table():
    """Which lineage the report sums up: of the paper's jobs too, where it shows them."""
    return "lineage_paper" if shows("paper") else "lineage"


def lineage_input(wildcards):
    """The leaves of a target, by which no job is left out, and the pixels."""
    leaves, pools = results_wanted(), wanted_pixels()
    if wildcards.lineage != "lineage":
        pools += [plan.pool(pool) for pool in plan.learnt()]
        pools += [plan.pool(pool, "truth") for pool in plan.truths()]
    if wildcards.lineage == "lineage_paper":
        leaves += paper_wanted()
    if wildcards.lineage == "lineage_compare":
        leaves = comparison_wanted()
    return {"leaves": leaves, "pools": list(dict.fromkeys(pools))}


def logs_before(wildcards, input):
    """The logs of all jobs that make a job's inputs, whatever made theirs."""
    made_by = {path: job for job in workflow.dag.jobs for path in job.output}
    left, seen = [made_by[path] for path in input if path in made_by], set()
    while left:
        job = left.pop()
        if job not in seen:
            seen.add(job)
            left += workflow.dag.dependencies[job]
    return sorted(str(job.log[0]) for job in seen)
