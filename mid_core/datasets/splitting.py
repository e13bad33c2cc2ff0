"""A data set in two halves that have no image in common."""

from collections.abc import Sequence
from hashlib import sha256

from mid_core.errors import MidError


def split(
    groups: Sequence[str], sides: tuple[str, str], share: float, seed: int
) -> dict[str, list[str]]:
    """Deal the groups of a data set to two sides, at random.

    Parameters
    ----------
    groups
        What must stay together: scenes, instances or single images, sorted.
    sides
        Names of the two.
    share
        Share of the first, rounded to whole groups.
    seed
        Of the draw.

    Returns
    -------
    The groups of each side, sorted.

    Raises
    ------
    MidError
        If a side would be empty.
    """
    count = round(share * len(groups))
    if not 0 < count < len(groups):
        raise MidError(
            f"{len(groups)} group(s) of images cannot be split with a share of {share}: "
            "one side would be empty; check the data set's path and split"
        )
    # Sorted by hash, at most one other group changes its side when a group goes.
    drawn = sorted(
        groups,
        key=lambda group: sha256(
            f"{seed}/{group}".encode(errors="surrogateescape")
        ).digest(),
    )
    parts = zip(sides, (drawn[:count], drawn[count:]), strict=True)
    return {side: sorted(chosen) for side, chosen in parts}
