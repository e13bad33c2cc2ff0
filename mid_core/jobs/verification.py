"""The whole of `mid verify`: every byte of stores and models, read again."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from mid_core.checkpoints.finished import is_kept
from mid_core.errors import MidError
from mid_core.runtime.advice import rebuilt
from mid_core.runtime.files import sha256
from mid_core.runtime.progress import Progress
from mid_core.store import damage, store_path


def verify(paths: Sequence[Path]) -> tuple[int, list[str]]:
    """Compare stores with their manifests, and models with their cards.

    Parameters
    ----------
    paths
        Stores (or their manifests), ``model.safetensors`` (or their cards), or folders,
        in which all of them are looked for.

    Returns
    -------
    How many were checked, and a sentence for each thing that is wrong.

    Raises
    ------
    MidError
        If a path is none of these, or a folder holds none.
    """
    found = [one for path in paths for one in _below(path)]
    report, problems = Progress("verify", len(found), "file"), []
    for path in found:
        problems += _of_store(path) if path.suffix == ".zarr" else _of_model(path)
        report()
    return len(found), problems


def _below(path: Path) -> Iterator[Path]:
    """Yield the stores and the weights that a path stands for."""
    if path.name.endswith(".manifest.json"):
        path = store_path(path)
    if path.name == "model.json":
        path = path.with_suffix(".safetensors")
    if path.suffix in (".zarr", ".safetensors"):
        yield path
        return
    manifests = {store_path(manifest) for manifest in path.rglob("*.manifest.json")}
    unsealed = {store for store in path.rglob("*.zarr") if store.is_dir()}
    # A kept one is looked at when it is used.
    cards = {card for card in path.rglob("model.json") if not is_kept(card)}
    cards = {card.with_suffix(".safetensors") for card in cards}
    if not manifests | unsealed | cards:
        raise MidError(f"{path} has no store and no model: give a folder of results")
    yield from sorted(manifests | unsealed | cards)


def _of_store(path: Path) -> list[str]:
    try:
        return damage(path, every=True)
    except MidError as error:
        return [str(error)]


def _of_model(weights: Path) -> list[str]:
    card = weights.with_suffix(".json")
    advice = rebuilt(card, "train_round")
    for file in (weights, card):
        if not file.is_file():
            return [f"{file} is missing: {advice}"]
    try:
        made = json.loads(card.read_text())["sha256"]
    except (ValueError, KeyError) as error:
        return [f"{card} is damaged ({error}): {advice}"]
    if sha256(weights) != made:
        return [f"{weights} is damaged, its hash is not the card's: {advice}"]
    return []
