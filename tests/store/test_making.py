"""Stores in the making: killed, resumed, written by several, and damaged afterwards."""

import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from mid_core.errors import MidError
from mid_core.store import (
    PartWriter,
    Store,
    StoreWriter,
    count_files,
    damage,
    manifest_path,
    writing,
)

# Not from tests.conftest: the child processes would load torch.
ROOT = Path(__file__).parents[2]
TILE, KEY = 16, {"seed": 3, "mask_ratio": 0.8}
# 4 tiles of 16 x 16 x 3 bytes a shard.
SHARD = 4 * TILE * TILE * 3


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr("mid_core.store.layout.SHARD_BYTES", SHARD)


def image(i: int) -> np.ndarray:
    """Image ``i`` of a pool: sizes differ, tiles straddle shards."""
    shape = (9 + 7 * (i % 5), 11 + 13 * (i % 3), 3)
    return np.random.default_rng(i).integers(0, 256, shape, np.uint8)


def write(path: Path, count: int, stop: int | None = None, key=KEY) -> list[int]:
    """Write images 0 to count - 1, dying before ``stop``; return those made."""
    made, writer = [], StoreWriter(path, "image", key, tile=TILE).__enter__()
    for i in range(len(writer.names), count):
        if i == stop:
            writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
            return made
        writer.append(f"{i}", image(i))
        made.append(i)
    writer.attributes = {"made_by": {"stage": "test", "version": 1}}
    writer.__exit__(None, None, None)
    return made


@pytest.mark.parametrize("stop", range(1, 12))
def test_a_resumed_store_equals_an_unbroken_one(stop, tmp_path):
    write(tmp_path / "whole.zarr", 12)
    path = tmp_path / "broken.zarr"
    write(path, 12, stop)
    with pytest.raises(MidError, match="is unfinished"):
        Store(path)
    again = write(path, 12)
    # Made again is what had not filled a shard: no more tiles than two images have.
    assert again[0] >= stop - 4
    assert (
        manifest_path(path).read_text()
        == manifest_path(tmp_path / "whole.zarr").read_text()
    )
    # Shards were hashed as they were written, by either writer: the files are so.
    assert damage(path, every=True) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *("broken.manifest.json", "broken.zarr", "whole.manifest.json", "whole.zarr")
    ]


def test_what_a_kill_left_half_written_is_swept(tmp_path):
    write(tmp_path / "whole.zarr", 12)
    path = tmp_path / "broken.zarr"
    write(path, 12, stop=9)
    # As TensorStore calls a shard that has not got its name yet.
    (path / "image/c/0/0/0/0_d1f2.__lock").write_bytes(b"half")
    write(path, 12)
    assert (
        manifest_path(path).read_text()
        == manifest_path(tmp_path / "whole.zarr").read_text()
    )


def test_other_settings_begin_anew(tmp_path):
    path = tmp_path / "a.zarr"
    write(path, 12, stop=9)
    assert write(path, 12, key=KEY | {"mask_ratio": 0.7}) == list(range(12))
    write(path, 12, stop=9)
    assert write(path, 12, key=None) == list(range(12))


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {root!r})
import mid_core.store.layout as layout
layout.SHARD_BYTES = {shard}
from tests.store.test_making import write
print("ready", flush=True)
write(Path({path!r}), 400)
"""


def test_a_kill_before_the_manifest_loses_nothing(tmp_path, monkeypatch):
    write(tmp_path / "whole.zarr", 5)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_manifest", killed)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "killed.zarr", 5)
    assert write(tmp_path / "killed.zarr", 5) == []
    whole, again = (manifest_path(tmp_path / f"{n}.zarr") for n in ("whole", "killed"))
    assert again.read_text() == whole.read_text()


@pytest.mark.exhaustive
def test_kills_at_random_moments_lose_nothing(tmp_path):
    write(tmp_path / "whole.zarr", 400)
    path, rng, kills = tmp_path / "killed.zarr", np.random.default_rng(0), 0
    code = KILLED.format(root=str(ROOT), shard=SHARD, path=str(path))
    for _ in range(10):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(rng.uniform(0.05, 0.4))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.stdout.close()
    assert kills >= 3
    write(path, 400)
    assert (
        manifest_path(path).read_text()
        == manifest_path(tmp_path / "whole.zarr").read_text()
    )


PART = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
import numpy as np
from mid_core.store import PartWriter
from tests.store.test_making import noise
writer = PartWriter(Path({path!r}), int(sys.argv[1]), 4)
for i in writer.wanted():
    writer.put(i, noise(i))
"""
SIZES = [(9 + 7 * (i % 5), 11 + 13 * (i % 3)) for i in range(200)]


def noise(i: int) -> np.ndarray:
    return np.random.default_rng(i).normal(size=(*SIZES[i], 3)).astype(np.float16)


def leaves_shards_missing():
    return pytest.raises(MidError, match=r"lacks .* shards, the first is number")


@contextmanager
def laid_out(path: Path):
    names = [str(i) for i in range(len(SIZES))]
    with StoreWriter(path, "noise", KEY, tile=TILE) as store:
        store.lay_out(names, SIZES, "float16", 3)
        yield store


@pytest.mark.slow
def test_four_processes_that_write_one_store_lose_nothing(tmp_path):
    path = tmp_path / "noise.zarr"
    code = PART.format(root=str(ROOT), path=str(path))
    command = [sys.executable, "-c", code]
    with laid_out(path) as store:
        running = [subprocess.Popen([*command, str(part)]) for part in range(4)]
        assert [process.wait() for process in running] == [0, 0, 0, 0]
        store.attributes = {"made_by": {"stage": "test"}}
    for i, (name, found) in enumerate(Store(path)):
        assert name == str(i)
        np.testing.assert_array_equal(found, noise(i))
    assert damage(path, every=True) == []


def test_parts_resume_by_shard_and_leave_each_other_alone(tmp_path):
    path = tmp_path / "noise.zarr"
    with leaves_shards_missing(), laid_out(path):
        first = PartWriter(path, 0, 2)
        for i in first.wanted()[:40]:
            first.put(i, noise(i))
    # The same command again keeps what is there.
    with laid_out(path):
        left = PartWriter(path, 0, 2).wanted()
        assert 30 < left[0] < 41
        for part in (1, 0):
            writer = PartWriter(path, part, 2)
            for i in writer.wanted():
                writer.put(i, noise(i))
        np.testing.assert_array_equal(writer.read(17), noise(17))
    for i, (_, found) in enumerate(Store(path)):
        np.testing.assert_array_equal(found, noise(i))


def test_a_store_that_lost_its_manifest_gets_the_same_again(tmp_path):
    path = tmp_path / "noise.zarr"

    def fill() -> list[int]:
        with laid_out(path) as store:
            writer = PartWriter(path)
            wanted = writer.wanted()
            for i in wanted:
                writer.put(i, noise(i))
            store.attributes = {"made_by": {"stage": "test"}}
        return wanted

    assert fill() == list(range(200))
    manifest = manifest_path(path).read_text()
    manifest_path(path).unlink()
    assert fill() == []
    assert manifest_path(path).read_text() == manifest
    # Of what is damaged by then, no more is made again.
    for name in ("zarr.json", "noise/zarr.json", "index/zarr.json", "noise/c/1/0/0/0"):
        content = (path / name).read_bytes()
        (path / name).write_bytes(content[:-9] + b"?" + content[-8:])
    manifest_path(path).unlink()
    assert 0 < len(fill()) < 9
    assert manifest_path(path).read_text() == manifest
    assert damage(path, every=True) == []


def test_an_image_that_was_not_laid_out_so_is_refused(tmp_path):
    path = tmp_path / "noise.zarr"
    with leaves_shards_missing(), laid_out(path):
        writer = PartWriter(path)
        for wrong in (noise(1), noise(0)[..., :1], noise(0).astype(np.float32)):
            with pytest.raises(ValueError, match=r"image 0 of .* but was laid out as"):
                writer.put(0, wrong)
        assert writer.wanted() == list(range(200))


HOLDER = """
import sys
sys.path.insert(0, {root!r})
from mid_core.store.making import lock
with lock({path!r}):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_a_second_writer_is_told_who_writes(tmp_path):
    path = tmp_path / "noise.zarr"
    with leaves_shards_missing(), laid_out(path):
        pass
    code = HOLDER.format(root=str(ROOT), path=str(path))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as first:
        first.stdout.readline()
        said = rf"noise\.lock is held by .*, process {first.pid}:"
        with pytest.raises(MidError, match=said), laid_out(path):
            pass
        # Its content would be another: the store would be begun anew.
        with pytest.raises(MidError, match=said), StoreWriter(path, "noise"):
            pass
        assert PartWriter(path).wanted() == list(range(200))
        first.kill()
    with leaves_shards_missing(), laid_out(path):
        pass
    assert not list(tmp_path.glob("*.lock"))


def test_two_hundred_flipped_bits_are_all_noticed(tmp_path):
    path = tmp_path / "pool.zarr"
    write(path, 60)
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    sizes = np.array([file.stat().st_size for file in files])
    rng = np.random.default_rng(1)
    read = checked = 0
    for place in rng.integers(sizes.sum(), size=200):
        number = np.searchsorted(sizes.cumsum(), place, side="right")
        file, offset = files[number], int(place - sizes[:number].sum())
        content = bytearray(file.read_bytes())
        content[offset] ^= 1 << int(rng.integers(8))
        whole = file.read_bytes()
        file.write_bytes(content)
        (problem,) = damage(path, every=True)
        checked += str(file) in problem and "its rule test rebuilds it" in problem
        try:
            list(Store(path))
        except MidError as error:
            read += file.relative_to(path).as_posix() in str(error)
        file.write_bytes(whole)
    assert (checked, read) == (200, 200)
    assert damage(path, every=True) == []


def test_damaged_manifests_and_unknown_files_are_noticed(tmp_path):
    path = tmp_path / "pool.zarr"
    write(path, 5)
    (path / "image/c/99").write_bytes(b"")
    assert damage(path, every=True) == [f"{path}/image/c/99 is not in the manifest"]
    text = manifest_path(path).read_text()
    for broken in (text[:-9], text.replace('"bytes": ', '"bytes": 1', 1), "[]"):
        manifest_path(path).write_text(broken)
        with pytest.raises(MidError, match=r"pool\.manifest\.json is damaged"):
            Store(path)


def test_a_store_of_sidd_medium_s_size_has_few_files(monkeypatch):
    monkeypatch.undo()
    # 320 photos of at most 5328 x 3000: 21 x 12 tiles of 256 pixels each.
    tiles = 320 * 21 * 12
    assert count_files(tiles, itemsize=1) < count_files(tiles, itemsize=2) < 500


@pytest.mark.parametrize("count", [1, 7, 30])
def test_a_store_has_as_many_files_as_are_counted(count, tmp_path):
    write(tmp_path / "pool.zarr", count)
    shapes = [image(i).shape for i in range(count)]
    tiles = sum(-(-height // TILE) * -(-width // TILE) for height, width, _ in shapes)
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    # But for the note, which a store made in one go does not keep.
    assert len(made) == count_files(tiles, itemsize=1, tile=TILE) - 1
