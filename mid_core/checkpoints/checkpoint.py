"""The state of a training on disk: the last two, whole or not at all.

It lies in ``training/KEY`` beside the model that it leads to; KEY is a hash of all that
the numbers depend on. Trainings of other settings thus never meet: new settings start
anew, and settings that come back find their own state, or their model if it is finished.
"""

import hashlib
import json
import logging
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch

from mid_core.errors import MidError
from mid_core.runtime.files import advice, remove_partials, written_whole

FORMAT = 1
log = logging.getLogger("mid")


def differences(then: dict, now: dict) -> list[str]:
    """Name every setting that differs, as ``key (THEN, now NOW)``; keys are dotted."""
    then, now = dict(_flat(then)), dict(_flat(now))
    return [
        f"{key} ({then.get(key, 'absent')}, now {now.get(key, 'absent')})"
        for key in sorted(then.keys() | now.keys())
        if then.get(key, "absent") != now.get(key, "absent")
    ]


def _flat(settings: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def read_checkpoint(path: Path) -> dict:
    """Read a file that ``Checkpoints.save`` wrote, and nothing that could execute.

    Raises
    ------
    MidError
        If a bit of it is not as written, or it is no such file.
    """
    # Damaged bytes fail in many ways; torch itself does not look at the checksums.
    try:
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise zipfile.BadZipFile(f"checksum of {damaged}")
        state = torch.load(path, map_location="cpu", weights_only=True)
        return state | {"fingerprint": dict(state["fingerprint"])}
    except Exception as error:
        # torch goes on to tell how such a file can be loaded unsafely.
        why = str(error).split(". ")[0]
        raise MidError(f"{path} is damaged ({why})") from error


class Checkpoints:
    """The last two states of one training.

    Parameters
    ----------
    folder
        ``training``, beside the model to be.
    fingerprint
        All that the numbers depend on, as JSON has it.
    """

    def __init__(self, folder: Path, fingerprint: dict) -> None:
        self.fingerprint = json.loads(json.dumps(fingerprint | {"format": FORMAT}))
        canonical = json.dumps(self.fingerprint, sort_keys=True).encode()
        self.folder = folder / hashlib.sha256(canonical).hexdigest()[:12]
        self._newest = self.folder / "checkpoint.pt"
        self._previous = self.folder / "checkpoint.previous.pt"

    def save(self, state: dict) -> None:
        """Write a state; the one before stays until the next.

        Raises
        ------
        MidError
            If it cannot be written; the last good one is then still there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with written_whole(self._newest) as file:
                torch.save(state | {"fingerprint": self.fingerprint}, file)
                if self._newest.is_file():
                    self._newest.replace(self._previous)
        # torch turns an error of the disk into a RuntimeError.
        except (OSError, RuntimeError) as error:
            do = advice(error) if isinstance(error, OSError) else "make room there"
            raise MidError(
                f"the state of the training cannot be written to {self.folder} "
                f"({error}): the last good one is kept; {do}, then give the same command"
            ) from error

    def load(self) -> dict | None:
        """Return the newest whole state, or None if there is none.

        What a kill left half-written is removed.

        Raises
        ------
        MidError
            If all are damaged, or one is of other settings: the message names them.
        """
        remove_partials(self._newest)
        self._name_others()
        found = [path for path in (self._newest, self._previous) if path.is_file()]
        for path in found:
            try:
                state = read_checkpoint(path)
            except MidError as error:
                log.warning("%s and is not used", error)
                continue
            self._refuse_others(path, state)
            if path == self._previous:
                # A damaged one must not take this one's place at the next save.
                self._newest.unlink(missing_ok=True)
            return state
        if found:
            raise MidError(
                f"no state in {self.folder} can be read: delete this folder to start "
                "the training anew"
            )
        return None

    def remove(self) -> None:
        """Delete the states: a finished training needs none."""
        remove_partials(self._newest)
        for path in (self._newest, self._previous):
            path.unlink(missing_ok=True)

    def _refuse_others(self, path: Path, state: dict) -> None:
        if changed := differences(state["fingerprint"], self.fingerprint):
            raise MidError(
                f"{path} is the state of another training: {', '.join(changed)}; "
                "restore those settings to go on with it, or delete its folder to "
                "start anew"
            )

    def _name_others(self) -> None:
        """Say which unfinished trainings of other settings are not gone on with."""
        for path in sorted(self.folder.parent.glob("*/checkpoint.pt")):
            if path.parent == self.folder:
                continue
            # Mapped: of a state that is not used, the weights are not read.
            with suppress(Exception):
                state = torch.load(
                    path, map_location="cpu", mmap=True, weights_only=True
                )
                changed = differences(state["fingerprint"], self.fingerprint)
                log.warning(
                    "%s, at step %s, is not used, as it is of other settings: %s. "
                    "Restore them to go on with it, or delete its folder",
                    *(path, state.get("step"), ", ".join(changed)),
                )
