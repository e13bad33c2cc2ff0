"""See that the pools are what the method will need of them."""

from collections.abc import Mapping, Sequence

from mid_core.datasets.overlap import Files, overlaps
from mid_core.errors import MidError
from mid_core.store import Store


def check(
    images: Mapping[str, Store],
    truths: Mapping[str, Store],
    needs: Sequence[dict],
    files: Mapping[tuple[str, str], Files],
) -> None:
    """See that every pool fits the method, before time is spent on training.

    Parameters
    ----------
    images, truths
        The pools by name, as stores or as the doctor decoded them; the truth of those
        where it is opened.
    needs
        For each use of a pool: its name ``pool``, the ``clean`` pool whose colours it
        must share, and the side ``pixels`` of a square that must fit.
    files
        Those of each pool and stack, by their content: see `overlaps`.

    Raises
    ------
    MidError
        With everything that does not fit.
    """
    problems = [problem for need in needs for problem in _unfit(images, need)]
    for pool, truth in truths.items():
        problems += _unlike(pool, images[pool], truth)
    problems += overlaps(files, needs)
    if problems:
        raise MidError("\n".join(dict.fromkeys(problems)))


def _unfit(images: Mapping[str, Store], need: dict) -> list[str]:
    pool, clean = images[need["pool"]], images[need["clean"]]
    problems = [
        f"pool '{need['pool']}': '{name}' is {width}x{height} pixels, but "
        f"{need['pixels']} a side are needed: lower training.patch_size, or leave the "
        "image out"
        for name, (height, width) in zip(pool.names, pool.sizes, strict=True)
        if min(height, width) < need["pixels"]
    ]
    if pool.channels != clean.channels:
        problems.append(
            f"pool '{need['pool']}' has {pool.channels} colour(s) but '{need['clean']}' "
            f"has {clean.channels}: both must be grey or both in colour"
        )
    return problems


def _unlike(pool: str, image: Store, truth: Store) -> list[str]:
    true_sizes = dict(zip(truth.names, truth.sizes, strict=True))
    problems = [
        f"pool '{pool}': '{name}' is {size[1]}x{size[0]} pixels, but its truth is "
        f"{true_sizes[name][1]}x{true_sizes[name][0]}: a pair must match exactly"
        for name, size in zip(image.names, image.sizes, strict=True)
        if true_sizes.get(name, size) != size
    ]
    if image.channels != truth.channels:
        problems.append(
            f"pool '{pool}' has {image.channels} colour(s) but its truth "
            f"{truth.channels}: a pair must match exactly"
        )
    if not set(image.names) & set(true_sizes):
        problems.append(f"pool '{pool}': no image that could be decoded has a truth")
    return problems
