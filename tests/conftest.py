"""Small images of odd, non-square sizes, and networks that are not trivial."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from torch import nn

from mid_core.networks import build

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
TINY = {
    "name": "nafnet",
    "width": 8,
    "encoder": [1],
    "middle": 1,
    "decoder": [1],
    "pixel_unshuffle": 2,
}
# What a model file says of its network.
CARD = {
    "network": TINY,
    "masking": {"mask_ratio": 0.3},
    "patch_size": 16,
    "channels": 3,
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep in one process what shares a set-up: a file's tests, and all of SLURM's."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "slurm" if file.startswith("tests/slurm/") else file

    return ByFile(config, log)


# The longest files, in this order: begun last, one process would end alone with them.
LONGEST = [
    "tests/workflow/test_every_key.py",
    "tests/workflow/test_workflow.py",
    "tests/workflow/test_paper_run.py",
    "tests/workflow/test_sidd_run.py",
    "tests/workflow/test_compare.py",
    "tests/workflow/test_kills.py",
    "tests/commands/test_large_images.py",
    "tests/test_installed.py",
    "tests/docs/test_site.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda one: place.get(one.nodeid.partition("::")[0], len(place)))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def shared() -> Path:
    """Real images, which the project does not ship."""
    if not SHARED.is_dir():
        pytest.skip(f"no real images at {SHARED}")
    return SHARED


def stir(network: nn.Module, scale: float = 0.3) -> nn.Module:
    """Give every parameter an effect: fresh blocks are the identity."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("beta", "gamma")):
                parameter.copy_(
                    scale * torch.randn(parameter.shape, generator=generator)
                )
    return network


@pytest.fixture
def network() -> nn.Module:
    return stir(build(TINY)).eval()


class Pool:
    """Arrays with names, as the sampler wants them."""

    on_disk = False

    def __init__(self, *images: np.ndarray) -> None:
        self.images = images
        self.names = [f"image {i}" for i in range(len(images))]
        self.sizes = [image.shape[:2] for image in images]
        self.channels = images[0].shape[2]

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        return self.images[index][top : top + size, left : left + size]


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Path:
    """The folder of a whole run of the tiny config with its report, made once.

    What it printed is in ``said.txt``. Each process has a copy of its own.
    """
    # Not at the top: running.py takes ROOT and TINY from here.
    from tests.running import CONFIG, draw_images, snakemake

    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "tiny_run"
    with FileLock(f"{shared}.lock"):
        if not (shared / "said.txt").is_file():
            shared.mkdir()
            draw_images(shared)
            run = snakemake(shared, CONFIG, "--", "all", "report")
            assert run.returncode == 0, run.stdout + run.stderr
            (shared / "said.txt").write_text(run.stdout + run.stderr)
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(shared, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def copied(finished, tmp_path, monkeypatch) -> Path:
    """A copy of it that may be changed, as the working folder."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path
