"""What `snakemake -n` says a job will cost: the time of its last run. No rules."""

import atexit

from mid_config.last_run import duration, typical_seconds, usage

# Of each job that the dry run lists: seconds, None where nothing is known.
COSTS = {}


def cost(wildcards, rulename):
    """A job's last time, else the median of its rule's jobs; in a dry run only.

    Jobs of a group must agree in resources of text: theirs counts in the sum alone.
    """
    if not workflow.dryrun:
        return None
    pattern = getattr(rules, rulename).benchmark
    file = Path(pattern.format(**dict(wildcards.items())))
    card = Path(trained_model(wildcards)) if rulename == "train_round" else None
    last, source = usage(file, card), "last time"
    seconds = last and last.seconds
    if last is None and file.parent.name == rulename:
        seconds, source = typical_seconds(file.parent), "as others of its rule"
    COSTS[file] = seconds
    if rulename in workflow.group_settings.overwrite_groups:
        return None
    return "unknown" if seconds is None else f"{duration(seconds)} {source}"


def print_costs():
    known = [seconds for seconds in COSTS.values() if seconds is not None]
    unknown = len(COSTS) - len(known)
    text = f"{len(COSTS)} jobs"
    if known:
        text += f", {duration(sum(known))} of computing as of their last runs"
    if unknown:
        files = map(os.path.relpath, workflow.configfiles)
        command = ["mid", "plan", *files]
        if targets := workflow.dag_settings.targets:
            command += ["--target", *sorted(targets)]
        text += f"; {unknown} of them never ran: `{shlex.join(command)}` estimates them"
    if COSTS:
        print(text)


atexit.register(print_costs)
