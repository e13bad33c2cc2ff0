"""Stores as they are written: resumed at the last shard, finished by their manifest."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np
import zarr

from mid_core.errors import MidError, UnlikeImage
from mid_core.runtime.files import disk_space_needed, write_json
from mid_core.store.layout import TILE, image_tiles, shard_name
from mid_core.store.making import begin, digest, lock, note_path
from mid_core.store.manifest import read_manifest, write_manifest
from mid_core.store.parts import PartWriter
from mid_core.store.shards import create

# More tiles than any store has: of one that grows, the number is known at the end.
_ENDLESS = 2**40


class StoreWriter:
    """Writes a store, and its manifest at the end.

    Use as a context manager. Within, either `append` image after image, or `lay_out` all
    of them and fill the shards by `PartWriter`, in one process or several. Leaving it
    without an error finishes the store, which must then have an image.

    After a kill, a writer with the same key goes on behind the last whole shard: `names`
    are the images that are done. Memory is bounded by one shard and one image.

    Parameters
    ----------
    path
        ``NAME.zarr``.
    kind
        ``"image"``, ``"truth"`` or ``"noise"``.
    key
        All that the content depends on; with another, or None, the store is begun anew.
    tile
        Side of a tile in pixels.

    Attributes
    ----------
    names
        Of the images so far.
    attributes
        Provenance and statistics: what the user sets is written at the end.

    Raises
    ------
    MidError
        On entering, if another process writes the store, or the disk is full; on
        leaving, if it is empty or lacks a shard.
    """

    def __init__(
        self, path: Path | str, kind: str, key: dict | None = None, tile: int = TILE
    ) -> None:
        self.path, self.kind, self.tile = Path(path), kind, tile
        self.names: list[str] = []
        self.attributes: dict = {}
        self._note: dict = {
            "key": digest(key),
            "kind": kind,
            "names": self.names,
            "index": [],
        }
        self._key, self._tiles, self._laid_out = key, 0, False
        self._part: PartWriter | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._lock = stack.enter_context(lock(self.path))
            with disk_space_needed(self.path):
                note = begin(self.path, self._key)
                self._group = zarr.open_group(self.path, mode="a")
                if note is not None:
                    self._resume(note)
            self._held = stack.pop_all()
        return self

    def _resume(self, note: dict) -> None:
        self._note = note
        self._open(_ENDLESS)
        if lost := self._part.wanted():
            del note["names"][lost[0] :], note["index"][lost[0] :]
        self.names = note["names"]
        if self.names:
            self._tiles = image_tiles(note["index"][-1], self.tile).stop

    def lay_out(
        self,
        names: Sequence[str],
        sizes: Sequence[tuple[int, int]],
        dtype: str,
        channels: int,
    ) -> None:
        """Say which images the store will have; what is there of them already is kept.

        Even if only the manifest was deleted, the shards of which it had the hashes are.

        Parameters
        ----------
        names, sizes
            Of the images: name, and (height, width) in pixels.
        dtype, channels
            Of the samples, and colours of every image.
        """
        self.names, self._tiles, self._laid_out = list(names), 0, True
        self._note |= {"names": self.names, "index": []}
        self._note |= {"dtype": dtype, "channels": channels}
        for height, width in sizes:
            self._note["index"].append([self._tiles, height, width])
            self._tiles = image_tiles(self._note["index"][-1], self.tile).stop
        with disk_space_needed(self.path):
            self._save_note()
            self._open(self._tiles)

    def append(self, name: str, image: np.ndarray) -> None:
        """Add one image, (H, W, C), of the type and with as many colours as the first.

        Raises
        ------
        UnlikeImage
            If its type or number of colours is another: it is left out.
        MidError
            If it cannot be written. Nothing more may be appended then.
        """
        height, width, channels = image.shape
        if self._part is None:
            self._note |= {"dtype": image.dtype.name, "channels": channels}
            with disk_space_needed(self.path):
                self._save_note()
                self._open(_ENDLESS)
        self._check_kind(name, image)
        self._lock.check()
        self._note["index"].append([self._tiles, height, width])
        if self._part.put(len(self.names), image):
            # The image at hand is not noted yet: its last tiles may be missing.
            with disk_space_needed(self.path):
                self._save_note()
        self.names.append(name)
        self._tiles = image_tiles(self._note["index"][-1], self.tile).stop

    def _check_kind(self, name: str, image: np.ndarray) -> None:
        if image.shape[2] != self._note["channels"]:
            raise UnlikeImage(
                f"'{name}' has {image.shape[2]} colour(s), but the pool's first image "
                f"has {self._note['channels']}: put grey and colour images into two pools"
            )
        if image.dtype != self._note["dtype"]:
            raise UnlikeImage(
                f"'{name}' has {image.dtype} samples, but the pool's first image has "
                f"{self._note['dtype']}: put them into two pools, or convert them"
            )

    def _open(self, tiles: int) -> None:
        self._create(tiles)
        self._part = PartWriter(self.path)
        # One list: what is appended to it is noted, too.
        self._note["index"] = self._part.index

    def _create(self, tiles: int) -> None:
        """Describe the stack as one of so many tiles, without touching its shards."""
        (self.path / self.kind / "zarr.json").unlink(missing_ok=True)
        form = self._note["dtype"], self._note["channels"], self.tile
        create(self._group, self.kind, tiles, *form)

    def _save_note(self) -> None:
        index = self._note["index"][: len(self.names)]
        write_json(note_path(self.path), self._note | {"index": index})

    def __exit__(self, *error: object) -> None:
        with self._held:
            if error[0] is None:
                self._finish()

    def _finish(self) -> None:
        if not self.names:
            raise MidError(
                f"no image was put into {self.path}: it is not finished, as an empty "
                "store cannot be read; see to what should have come"
            )
        if not self._laid_out:
            self._part.flush()
        if missing := self._part.lacking(self._tiles):
            raise MidError(
                f"{self.path} lacks {len(missing)} of its shards, the first is number "
                f"{missing[0]}: run the workflow again, which writes the rest"
            )
        attributes = self.attributes | {"names": self.names, "tile": self.tile}
        with disk_space_needed(self.path):
            self._save_note()
            self._create(self._tiles)
            index = np.array(self._note["index"], np.int64)
            self._group.create_array(
                "index",
                data=index,
                dimension_names=("image", "first_height_width"),
                overwrite=True,
            )
            self._group.attrs.update(attributes)
            write_manifest(self.path, attributes.get("made_by", {}))
            self._end_note()

    def _end_note(self) -> None:
        if not self._laid_out:
            note_path(self.path).unlink()
            return
        # Snakemake may delete the manifest: with the hashes, the shards can be kept then.
        files = read_manifest(self.path)["files"]
        names = [shard_name(self.kind, n) for n in range(len(files))]
        hashes = {name: files[name]["sha256"] for name in names if name in files}
        write_json(note_path(self.path), self._note | {"shards": hashes})
