"""One cluster and one frozen copy of the repository for all tests here."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import ROOT
from tests.slurm.checkout import TWO_VARIANTS, Checkout
from tests.slurm.cluster import Cluster, what_is_missing


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A SLURM that runs until the tests are over."""
    if missing := what_is_missing():
        pytest.skip(missing)
    # Not below pytest's folder: sockets want a short name.
    with TemporaryDirectory(prefix="mid_slurm_") as folder, Cluster(Path(folder)) as it:
        yield it


@pytest.fixture(scope="session")
def frozen(tmp_path_factory) -> Path:
    """The repository as it is now: who edits it meanwhile does not matter."""
    folder = tmp_path_factory.mktemp("frozen") / "mid"
    left_out = shutil.ignore_patterns(".*", "results", "__pycache__", "*.egg-info")
    return shutil.copytree(ROOT, folder, ignore=left_out)


@pytest.fixture(scope="session")
def untouched(frozen, cluster, tmp_path_factory) -> Checkout:
    """A checkout with two variants to train, and their images."""
    folder = tmp_path_factory.mktemp("untouched") / "mid"
    checkout = Checkout(shutil.copytree(frozen, folder), cluster)
    checkout.configure(TWO_VARIANTS)
    checkout.draw_images()
    return checkout


@pytest.fixture(scope="session")
def undisturbed(untouched, tmp_path_factory) -> Checkout:
    """What a run on this machine alone makes of it."""
    checkout = untouched.copy(tmp_path_factory.mktemp("undisturbed"))
    checkout.run("snakemake", "--cores", "8")
    return checkout


@pytest.fixture
def prepared(undisturbed, tmp_path) -> Checkout:
    """The same, with pools and banks, but no training yet."""
    checkout = undisturbed.copy(tmp_path)
    for name in (*TWO_VARIANTS["variants"], "logs"):
        shutil.rmtree(checkout.results / name)
    return checkout
