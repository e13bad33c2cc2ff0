"""The literal command on a cluster, and the same config on this machine alone."""

import pandas as pd
import pytest

from tests.slurm.checkout import COMMAND

pytestmark = pytest.mark.exhaustive
SUBMITTED = {"ingest": 3, "train_round": 3, "extract_noise": 1, "scores": 1}


def test_the_command_of_the_readme_ends_in_the_tables_of_a_local_run(
    untouched, undisturbed, tmp_path
):
    checkout = untouched.copy(tmp_path)
    checkout.run(*COMMAND)
    ours, theirs = (
        pd.read_csv(one.results / "tables/rounds.csv").drop(columns="train_seconds")
        for one in (checkout, undisturbed)
    )
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    assert set(ours["variant"].dropna()) >= {"mid", "no_mask"}
    ours, theirs = (
        (one.results / "tables/rounds.md").read_text()
        for one in (checkout, undisturbed)
    )
    assert ours == theirs
    assert {rule: len(checkout.jobs(rule)) for rule in SUBMITTED} == SUBMITTED
    assert {job["JobState"] for job in checkout.jobs()} == {"COMPLETED"}
    # No profile had to be put there.
    assert not (checkout.home / ".config/snakemake").exists()
