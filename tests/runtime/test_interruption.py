"""Jobs that write stores: a signal stops them at the next image, and they go on."""

import json
import logging
import runpy
import signal
from types import SimpleNamespace

import imageio.v3 as iio
import numpy as np
import pytest

from mid_core import ensemble as inference
from mid_core import noise
from mid_core.checkpoints.model_file import save_model
from mid_core.datasets import folders
from mid_core.errors import Interrupted
from mid_core.jobs.log import read_attempt
from mid_core.runtime.interruption import until_stopped
from mid_core.store import Store, StoreWriter, writing
from tests.conftest import CARD, ROOT

IMAGES = 5
MASKING = {"mask_ratio": 0.5}


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_ends_the_items_at_the_next_one(sign):
    before, seen = signal.getsignal(sign), []

    def work():
        for item in until_stopped("abcd"):
            seen.append(item)
            if item == "b":
                signal.raise_signal(sign)
                seen.append("and all that belongs to it")

    with pytest.raises(Interrupted, match=f"{sign.name}: the shards that are whole"):
        work()
    assert seen == ["a", "b", "and all that belongs to it"]
    assert signal.getsignal(sign) is before


def test_what_is_kept_is_said():
    items = until_stopped("ab", "nothing is kept")
    next(items)
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Interrupted, match="SIGTERM: nothing is kept"):
        next(items)


def test_a_signal_during_the_last_item_lets_the_work_end():
    seen = []
    for item in until_stopped("ab"):
        seen.append(item)
        if item == "b":
            signal.raise_signal(signal.SIGTERM)
    assert seen == ["a", "b"]


@pytest.fixture(autouse=True)
def one_tile_a_shard(monkeypatch):
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", 1)
    yield
    logging.basicConfig(force=True)


@pytest.fixture
def inputs(tmp_path, network, rng):
    """A pool of images, their list, and a model."""
    (tmp_path / "images").mkdir()
    with StoreWriter(tmp_path / "noisy.zarr", "image") as store:
        for i in range(IMAGES):
            pixels = rng.integers(0, 256, (19 + i, 23, 3), dtype=np.uint8)
            iio.imwrite(tmp_path / f"images/{i}.png", pixels)
            store.append(f"{i}.png", pixels)
    found = folders.find({"path": tmp_path / "images"})
    (tmp_path / "files.json").write_text(json.dumps({"items": found.items}))
    card = CARD | {"masking": MASKING}
    digest = save_model(tmp_path / "model.safetensors", network, card)
    (tmp_path / "model.json").write_text(json.dumps({"sha256": digest}))
    return tmp_path


def run(job, inputs, folder):
    """Run a rule's script as Snakemake would; return its exit status."""
    settings = {"reader": "folders", "path": "images"} if job == "ingest" else {}
    settings |= {"masking": MASKING, "num_masks": 1, "seed": 0, "round": 1}
    names = {
        "files": "files.json",
        "noisy": "noisy.manifest.json",
        "model": "model.json",
    }
    snakemake = SimpleNamespace(
        params=SimpleNamespace(settings=settings, version=1, masking=MASKING, seed=0),
        config={
            "runtime": {"device": "cpu", "tile": 256},
            "variants": {"mid": {"extraction": {"gpus": 1}, "rounds": [{}, {}]}},
        },
        threads=1,
        input=SimpleNamespace(**{key: inputs / name for key, name in names.items()}),
        output=SimpleNamespace(manifest=folder / "store.manifest.json"),
        wildcards=SimpleNamespace(
            stack="image", variant="mid", k="1", pool="p", num_masks="2"
        ),
        log=[folder / "logs" / job / "mid_1.log"],
    )
    try:
        script = ROOT / f"workflow/scripts/{job}.py"
        runpy.run_path(str(script), {"snakemake": snakemake}, "__main__")
    except SystemExit as end:
        return end.code
    return 0


def counted(function, calls, stop):
    """Count a function's calls, and have SIGTERM come during one of them."""

    def counting(*arguments, **named):
        calls.append(1)
        if len(calls) == stop:
            signal.raise_signal(signal.SIGTERM)
        return function(*arguments, **named)

    return counting


# What each job does once an image; and how often at most, if it is cut in its third:
# ingestion decodes ahead, and a `StoreWriter` does the image at hand again.
JOBS = [
    ("ingest", folders, "read", IMAGES + 3),
    ("extract_noise", noise, "residual", IMAGES),
    ("denoise_pool", inference, "denoise", IMAGES + 1),
]


def test_a_job_that_was_cut_after_its_last_image_still_tells_its_time(
    inputs, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_manifest", counted(None, [], stop=0))
        assert run("denoise_pool", inputs, tmp_path) != 0
    calls: list[int] = []
    slow = counted(inference.denoise, calls, stop=0)
    monkeypatch.setattr(inference, "denoise", slow)
    assert run("denoise_pool", inputs, tmp_path) == 0
    store = Store(tmp_path / "store.zarr")
    assert (len(store), len(calls)) == (IMAGES, 1)
    assert store.attributes["seconds_per_megapixel"] > 0


@pytest.mark.parametrize(("job", "module", "name", "most"), JOBS)
def test_a_stopped_job_goes_on_with_the_same_command(
    job, module, name, most, inputs, tmp_path, monkeypatch
):
    assert run(job, inputs, tmp_path / "whole") == 0
    calls: list[int] = []
    monkeypatch.setattr(module, name, counted(getattr(module, name), calls, stop=3))
    assert run(job, inputs, tmp_path / "cut") == 75
    assert len(calls) < IMAGES
    attempt = read_attempt(tmp_path / "cut/logs" / job / "mid_1.log")
    assert attempt.state == "interrupted"
    assert attempt.lines[-1].startswith(
        "interrupted: SIGTERM: the shards that are whol"
    )
    assert not (tmp_path / "cut/store.manifest.json").exists()
    assert run(job, inputs, tmp_path / "cut") == 0
    assert len(calls) <= most
    whole, cut = (Store(tmp_path / name / "store.zarr") for name in ("whole", "cut"))
    assert cut.names == whole.names
    for (_, expected), (_, found) in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(found, expected)
    # One of them notes its speed beside the pixels.
    assert (cut.content == whole.content) == (job != "denoise_pool")
