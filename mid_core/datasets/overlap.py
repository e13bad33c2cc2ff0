"""Files that two pools share: noisy images would be learnt as clean ones."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path

# A pool's files by what they are, such as the hash of their content.
Files = Mapping[Hashable, str]

_WHY = {
    "image": "its noisy images would be learnt as clean ones",
    "truth": "it would be scored on images that the training knows",
}


def files_by(
    identity: Callable[[Path], Hashable], items: Iterable[dict], stack: str
) -> dict[Hashable, str]:
    """Return the files of a pool's items by what they are: their place, or a hash."""
    paths = {item[stack] for item in items if stack in item}
    return {identity(Path(path)): path for path in paths if Path(path).is_file()}


def overlaps(
    files: Mapping[tuple[str, str], Files], needs: Sequence[dict]
) -> list[str]:
    """Find what a training's clean pool shares with another pool of its variant.

    Parameters
    ----------
    files
        Of each pool and stack, ``"image"`` or ``"truth"``, that is opened.
    needs
        For each use of a pool its name ``pool``, and the ``clean`` pool of its variant.

    Returns
    -------
    A sentence for each pool that shares a file with the clean one.
    """
    pairs = dict.fromkeys((need["pool"], need["clean"]) for need in needs)
    problems = []
    for pool, clean in pairs:
        learnt = files.get((clean, "image"), {})
        for stack, why in _WHY.items():
            if (pool, stack) == (clean, "image"):
                continue
            own = files.get((pool, stack), {})
            if both := sorted(own.keys() & learnt.keys(), key=own.__getitem__):
                one, other = own[both[0]], learnt[both[0]]
                known = one if one == other else f"{one}, which is {other}"
                problems.append(
                    f"pool '{pool}' shares {len(both)} file(s) with the clean pool "
                    f"'{clean}', such as {known}: {why}; take them out of one of the two"
                )
    return problems
