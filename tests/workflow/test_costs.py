"""What a dry run says each job will cost."""

import re

import pytest

from tests.running import CONFIG, changed, draw_images, snakemake


def costs_of(run) -> dict[str, str]:
    """Read each job's cost, by its benchmark file without ending."""
    said = run.stdout + run.stderr
    found = re.findall(
        # Within the lines of one job.
        r"benchmark: \S+/benchmarks/(\S+)\.tsv\n(?: +\w+: .*\n)*? +resources: .*cost=([^,\n]+)",
        said,
    )
    return dict(found)


def test_what_never_ran_is_unknown(tmp_path):
    draw_images(tmp_path)
    target = "results/tiny/tables/lineage.csv"
    run = snakemake(tmp_path, CONFIG, "--dry-run", target)
    assert set(costs_of(run).values()) == {"unknown"}
    assert len(costs_of(run)) == 25
    said = "25 jobs; 25 of them never ran: `mid plan config.yaml --target {}` estimates"
    assert said.format(target) in run.stdout


def test_jobs_of_a_lot_took_unlike_times(tmp_path):
    """Snakemake wants one text of them all: theirs is in the sum alone."""
    draw_images(tmp_path)
    folder = tmp_path / "results/tiny/benchmarks/evaluate"
    folder.mkdir(parents=True)
    for hours, variant in ((2, "mid"), (3, "no_mask")):
        row = f"s\tmax_rss\n{3600 * hours}\tNA\n"
        (folder / f"{variant}_0_noisy.tsv").write_text(row)
    lots = ("--groups", "evaluate=scores", "--group-components", "scores=5")
    run = snakemake(tmp_path, CONFIG, "--dry-run", *lots)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Group job scores" in run.stdout
    assert "evaluate/mid_0_noisy" not in costs_of(run)
    # The two others are taken to be as long as the median.
    assert "25 jobs, 10 h of computing as of their last runs" in run.stdout


@pytest.mark.slow
def test_what_ran_costs_what_it_took(copied):
    folder = copied / "results/tiny/benchmarks/train_round"
    for i, path in enumerate(sorted(folder.glob("*.tsv"))):
        head, row = path.read_text().splitlines()
        own = "\t".join([f"{3600 * (i + 2)}", *row.split("\t")[1:]])
        path.write_text(f"{head}\n{own}\n")
    (folder / "mid_1.tsv").unlink()
    rounds = [{"mask_ratio": 0.8}, {"mask_ratio": 0.25}]
    run = snakemake(copied, changed(rounds=rounds, seed=1), "--dry-run")
    costs = costs_of(run)
    # In order: mid_0, mid_1, no_mask_0, true_noise_0 took 2, 3, 4 and 5 hours.
    assert costs["train_round/mid_0"] == "2.0 h last time"
    assert costs["train_round/no_mask_0"] == "4.0 h last time"
    assert costs["train_round/mid_1"] == "4.0 h as others of its rule"
    assert "extract_noise/mid_1" in costs
    # Another seed decodes nothing again.
    assert not any(name.startswith("ingest") for name in costs)
    last = run.stdout.splitlines()[-1]
    assert re.fullmatch(r"\d+ jobs, 1[56] h of computing as of their last runs.*", last)


@pytest.mark.slow
def test_a_real_run_knows_no_such_resource(finished):
    said = (finished / "said.txt").read_text()
    assert "mem_mb=" in said
    assert "cost=" not in said
