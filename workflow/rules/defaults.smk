"""What a rule has where it does not say otherwise. Included last; no rules.

log        results/{dataset}/logs/{rule}/{its other wildcards}.log
benchmark  likewise: benchmarks/, .tsv
conda      environment.yml
resources  mem_mb by mid_config/requests.py; an hour; the cost that a dry run tells

Not in the default profile: its `default-resources` would replace those of a cluster.
"""

import re

from snakemake.settings.types import DeploymentMethod


def job_file(step, folder, suffix):
    """A file of each job of a rule, by the wildcards of its output."""
    names = re.findall(r"\{(\w+)", step.output[0])
    dataset = "{dataset}" if "dataset" in names else plan.dataset
    own = "_".join(f"{{{name}}}" for name in names if name != "dataset")
    return f"results/{dataset}/{folder}/{step.name}{own and '/'}{own}{suffix}"


def job_environment():
    """environment.yml, for `--sdm conda` without the package itself.

    Snakemake copies the file, from where `-e .` means another folder; and jobs have the
    package from where Snakemake has it.
    """
    file = "../../environment.yml"
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        return file
    own = yaml.safe_load(Path(workflow.source_path(file)).read_text())
    own["dependencies"] = [one for one in own["dependencies"] if isinstance(one, str)]
    path = Path(".snakemake/mid_environment.yml").resolve()
    path.parent.mkdir(exist_ok=True)
    # Jobs of this run may read it, and write the same.
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(yaml.safe_dump(own, sort_keys=False))
    partial.replace(path)
    return str(path)


def fill_in(step):
    """Give a rule what it does not have."""
    step.log_modifier = step.benchmark_modifier = step.output_modifier
    if not step.log:
        step.set_log(job_file(step, "logs", ".log"))
    if not step.benchmark:
        step.benchmark = job_file(step, "benchmarks", ".tsv")
    step.conda_env = ENVIRONMENT
    # What the rule itself says, and what a profile's set-resources say for it.
    _, said = step.ruleinfo.resources or ((), {})
    known = {*said, *workflow.resource_settings.overwrite_resources.get(step.name, {})}
    for name, value in {"mem_mb": memory, "runtime": 60, "cost": cost}.items():
        if name not in known:
            step.resources[name] = value


ENVIRONMENT = job_environment()
# Logs, memory and profiles go by the names of rules, and functions by paths in results.
kept = workflow.modifier.modify_rulename("all"), workflow.modifier.modify_path(
    "results"
)
if AS_MODULE and kept != ("all", "results"):
    raise WorkflowError(
        "MID as a module keeps its rules' names and its folder: `use rule * from ...` "
        "without `as`, and no prefix."
    )

# Of a Snakefile that uses this one as a module, no rule is changed.
for step in workflow.modifier.rules:
    if step.output:
        fill_in(step)
