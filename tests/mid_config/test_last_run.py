"""Times of the last run, from the files that Snakemake leaves."""

import json

import pytest

from mid_config.last_run import duration, typical_seconds, usage

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmean_load\n"


def benchmark(path, seconds, memory="512.25"):
    path.write_text(f"{HEAD}{seconds}\t0:00:00\t{memory}\t900\t50\n")
    return path


def test_time_and_memory_of_a_job(tmp_path):
    assert usage(benchmark(tmp_path / "a.tsv", 61.5)) == (61.5, 512.25)
    # Of a job of a second, Snakemake saw no memory.
    assert usage(benchmark(tmp_path / "b.tsv", 0.9, "NA")) == (0.9, 0)


@pytest.mark.parametrize(
    "text", [None, "", HEAD, f"{HEAD}soon\t\t\t\t\n", "a\tb\n1\t2\n"]
)
def test_a_file_that_is_not_whole_is_as_none(text, tmp_path):
    if text is not None:
        (tmp_path / "a.tsv").write_text(text)
    assert usage(tmp_path / "a.tsv") is None


def test_a_training_in_slices_counts_them_all(tmp_path):
    last_slice = benchmark(tmp_path / "a.tsv", 100)
    card = tmp_path / "model.json"
    assert usage(last_slice, card).seconds == 100
    card.write_text(json.dumps({"train_seconds": 36_000}))
    assert usage(last_slice, card).seconds == 36_000
    # In one go, the benchmark has also what comes before and after the steps.
    card.write_text(json.dumps({"train_seconds": 90}))
    assert usage(last_slice, card).seconds == 100


def test_the_typical_job_of_a_rule(tmp_path):
    assert typical_seconds(tmp_path) is None
    for i, seconds in enumerate((3, 1000, 4)):
        benchmark(tmp_path / f"{i}.tsv", seconds)
    assert typical_seconds(tmp_path) == 4


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (750, "12 min"), (9400, "2.6 h"), (2e5, "2.3 days")],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text
