"""Every job of a target, for `mid plan` and `mid status`, which ask for it. No rules."""

import atexit

JOBS_FILE = os.environ.get("MID_JOBS_FILE")


def facts_of(job):
    asked = job.resources
    return {
        "rule": job.rule.name,
        "wildcards": job.wildcards_dict,
        "outputs": [str(path) for path in job.output],
        "inputs": [str(path) for path in job.input],
        "needs": sorted(str(one.output[0]) for one in workflow.dag.dependencies[job]),
        "log": str(job.log[0]),
        "benchmark": str(job.benchmark),
        "gpus": asked.get("gpu", 0),
        "memory_mb": asked.get("mem_mb"),
        "minutes": asked.get("runtime"),
        "threads": job.threads,
        "to_do": workflow.dag.needrun(job),
    }


def write_jobs():
    jobs = [facts_of(job) for job in workflow.dag.jobs if job.output]
    jobs.sort(key=lambda job: job["outputs"])
    Path(JOBS_FILE).write_text(json.dumps(jobs))


if JOBS_FILE and workflow.is_main_process:
    atexit.register(write_jobs)
