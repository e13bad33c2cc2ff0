"""Finished stores, read image by image or crop by crop."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import zarr

from mid_core.errors import MidError
from mid_core.store.layout import KINDS, covering, shard_name
from mid_core.store.manifest import (
    damage,
    read_manifest,
    rebuild_advice,
    store_path,
    wrong_size,
)
from mid_core.store.shards import open_tiles, read_window


class Store:
    """A finished store, opened for reading: as many images, read whole or in part.

    Attributes
    ----------
    kind
        ``"image"``, ``"truth"`` or ``"noise"``.
    names, sizes
        Of each image: its name, and (height, width) in pixels.
    dtype, channels
        Of the samples, and colours of every image.
    attributes
        Provenance and statistics, as written.
    content
        Hash of everything in the store.

    Raises
    ------
    MidError
        If the store is missing, unfinished, or differs from its manifest.
    """

    on_disk = True

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        damaged = damage(self.path, every=False)
        if damaged:
            raise MidError(damaged[0])
        self._manifest = read_manifest(self.path)
        self.content = self._manifest["content"]
        group = zarr.open_group(self.path, mode="r")
        self.attributes = dict(group.attrs)
        self.kind = next(kind for kind in KINDS if kind in group)
        self._tiles = open_tiles(self.path, self.kind)
        self._per_shard = group[self.kind].shards[0]
        self._index = group["index"][:]
        self.names = list(self.attributes["names"])
        self.sizes = [(int(height), int(width)) for _, height, width in self._index]
        self.dtype, self.channels = group[self.kind].dtype, self._tiles.shape[3]

    @classmethod
    def of(cls, manifest: Path | str) -> Self:
        """Open the store that a manifest is of."""
        return cls(store_path(manifest))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def nbytes(self) -> int:
        """Bytes of all images in memory."""
        pixels = sum(height * width for height, width in self.sizes)
        return pixels * self.channels * self.dtype.itemsize

    def read(self, index: int) -> np.ndarray:
        """Return image ``index``, (H, W, C) in the stored dtype."""
        return self._window(index, (0, 0), self.sizes[index])

    def crop(self, index: int, top: int, left: int, size: int) -> np.ndarray:
        """Return a (size, size, C) window of an image, reading its tiles only."""
        return self._window(index, (top, left), (size, size))

    def _window(
        self, index: int, start: tuple[int, int], size: tuple[int, int]
    ) -> np.ndarray:
        try:
            return read_window(self._tiles, self._index[index], start, size)
        # TensorStore raises what it finds under several types.
        except Exception as error:
            raise self._damage(index, start, size, error) from error

    def _damage(
        self, index: int, start: tuple[int, int], size: tuple[int, int], why: Exception
    ) -> MidError:
        """Say what of a window's shards differs from the manifest."""
        advice = rebuild_advice(self.path, self._manifest)
        tiles = covering(self._index[index], self._tiles.shape[1], start, size)
        numbers = np.unique(tiles // self._per_shard).tolist()
        shards = [shard_name(self.kind, number) for number in numbers]
        for name in shards:
            expected = self._manifest["files"][name]["bytes"]
            if problem := wrong_size(self.path / name, expected):
                return MidError(f"{problem}: {advice}")
        named = " or ".join(shards)
        return MidError(f"{named} of {self.path} is damaged ({why}): {advice}")

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        for index, name in enumerate(self.names):
            yield name, self.read(index)


def spread(length: int, count: int) -> list[int]:
    """Return ``count`` positions that are spread evenly over ``length``; at most all.

    Examples
    --------
    >>> spread(9, 3), spread(2, 3)
    ([0, 4, 8], [0, 1])
    """
    return np.linspace(0, length - 1, min(count, length)).astype(int).tolist()


def pairs(
    noisy: Store, clean: Store, count: int | None = None
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, image and truth of the images that both stores have.

    All of them, or ``count`` that are spread evenly over them.

    Raises
    ------
    MidError
        If an image and its truth differ in size.
    """
    position = {name: i for i, name in enumerate(clean.names)}
    shared = [i for i, name in enumerate(noisy.names) if name in position]
    for step in spread(len(shared), count or len(shared)):
        i, name = shared[step], noisy.names[shared[step]]
        image, truth = noisy.read(i), clean.read(position[name])
        if image.shape != truth.shape:
            raise MidError(
                f"'{name}' is {image.shape} in {noisy.path} but {truth.shape} in "
                f"{clean.path} (height, width, colours): a pair must match exactly"
            )
        yield name, image, truth
