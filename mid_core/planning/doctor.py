"""What is on this disk of the data sets that a run needs, and what is wrong with it."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numcodecs
import numpy as np

from mid_core.datasets import describe, reader, split_pool, survey
from mid_core.datasets.finding import Found
from mid_core.datasets.ingesting import decode
from mid_core.errors import MidError
from mid_core.runtime.progress import Progress

SHOWN = 20


@dataclass
class Decoded:
    """What decoding a pool showed.

    Attributes
    ----------
    names, sizes
        Of each image: its name, and (height, width) in pixels.
    channels, dtype
        Of the first image.
    unlike
        A sentence for each image that is not of the kind of the first.
    left_out
        Broken images that the config allows to skip.
    seconds
        That it took.
    share
        Of its bytes that a store of the pool takes, by the first images.
    """

    names: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    channels: int = 0
    dtype: np.dtype | None = None
    unlike: list[str] = field(default_factory=list)
    left_out: int = 0
    seconds: float = 0.0
    share: float = 1.0

    @property
    def pixels(self) -> int:
        """Of all images together."""
        return sum(height * width for height, width in self.sizes)

    def add(self, name: str, image: np.ndarray) -> None:
        """Take in one image, (H, W, C)."""
        if not self.names:
            self.channels, self.dtype = image.shape[2], image.dtype
            encoded = numcodecs.Zstd(level=1).encode(np.ascontiguousarray(image))
            self.share = len(encoded) / image.nbytes
        if (image.shape[2], image.dtype) != (self.channels, self.dtype):
            self.unlike.append(
                f"'{name}' has {image.shape[2]} colour(s) of {image.dtype}, but the "
                f"pool's first image {self.channels} of {self.dtype}: put them into two "
                "pools"
            )
        self.names.append(name)
        self.sizes.append(image.shape[:2])


@dataclass
class Finding:
    """What is to be said of one pool.

    Attributes
    ----------
    pool, settings
        Its name, and its settings in the config.
    uses
        What it is for.
    found
        Its images and problems.
    missing
        The folder that is not there, where the run does without the pool.
    decoded
        What decoding it showed, by stack; empty if it was not decoded.
    """

    pool: str
    settings: dict
    uses: Sequence[str]
    found: Found = field(default_factory=Found)
    missing: str = ""
    decoded: dict[str, Decoded] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Say what was expected, what was found, what is wrong, and where to get it."""
        about, items = reader(self.settings).ABOUT, self.found.items
        path = self.settings.get("path", "")
        expected = about.expected.format(path=path).splitlines()
        lines = [f"pool '{self.pool}': {about.title} ({', '.join(self.uses)})"]
        lines += [
            "  expected  " + expected[0],
            *("            " + e for e in expected[1:]),
        ]
        if self.missing:
            lines.append(f"  found     nothing: there is no folder {self.missing}")
            compared = all(use.endswith("of a compared method") for use in self.uses)
            so = (
                "`snakemake compare` cannot run; other targets go on"
                if compared
                else ""
            )
            so = so or "the run goes on without it"
            lines.append(f"  so        not available: {so}")
        else:
            lines.append(f"  found     {describe(self.settings, len(items))['split']}")
            lines += [f"  NOTE      {note}" for note in self._notes()]
        problems = self.found.problems
        if problems:
            lines.append(f"  WRONG     {len(problems)} thing(s):")
            lines += [f"            - {problem}" for problem in problems[:SHOWN]]
            if len(problems) > SHOWN:
                lines.append(f"            and {len(problems) - SHOWN} more")
        lines.append(f"  published {about.published}")
        return [*lines, f"  terms     {about.terms}"]

    def _notes(self) -> Iterator[str]:
        """Say what is no mistake, but may surprise."""
        yield from self.found.notes
        about, count = reader(self.settings).ABOUT, len(self.found.items)
        complete = about.complete.get(self.settings.get("part"))
        if complete and count not in (0, complete) and "split" not in self.settings:
            yield f"the whole has {complete}: scores compare with nobody's on it"
        skipped = sum(decoded.left_out for decoded in self.decoded.values())
        if skipped:
            yield f"{skipped} broken image(s) will be left out, as broken: skip says"


def look(settings: dict, stack: str) -> Found:
    """List a pool's images and problems, as the workflow will.

    Parameters
    ----------
    settings
        Of the pool.
    stack
        What will be read: ``"image"``, or also its ``"truth"``.
    """
    try:
        sides = split_pool(settings) if "split" in settings else None
    except MidError as error:
        # What the reader says of the folder comes first: it is the cause.
        problems = reader(settings).find(settings, None).problems
        return Found(problems=problems or [f"{settings['path']}: {error}"])
    return survey(settings, sides, stack)


def decode_all(
    pool: str, settings: dict, found: Found, stack: str, threads: int
) -> Decoded:
    """Decode every image of a pool, and add those that are broken to its problems.

    With ``broken: skip`` among the settings they are counted only.
    """
    decoded = Decoded()
    report = Progress(f"{pool}: decode {stack}", len(found.items), "image")
    start = time.perf_counter()
    images = decode(found.items, settings, stack, threads)
    for item, image in zip(found.items, images, strict=True):
        if isinstance(image, np.ndarray):
            decoded.add(item["name"], image)
        elif settings.get("broken") == "skip":
            decoded.left_out += 1
        else:
            found.problems.append(str(image))
        report()
    decoded.seconds = time.perf_counter() - start
    found.problems += decoded.unlike
    return decoded


def wrong(findings: Iterable[Finding]) -> list[str]:
    """Name the pools that the run needs and that are not sound."""
    return [f"see {finding.pool}" for finding in findings if finding.found.problems]


def report(
    findings: Sequence[Finding],
    costs: str,
    problems: Sequence[str],
    quick: bool,
) -> str:
    """Put together what there is to say.

    Parameters
    ----------
    findings
        Of the pools.
    costs
        What the run will take: a table, empty if not known.
    problems
        What stops the run.
    quick
        Whether the files were listed, and few of them decoded.
    """
    blocks = ["\n".join(finding.lines()) for finding in findings]
    if costs:
        title = "the run will take about, one job after the other on this machine:"
        blocks.append("\n  ".join([title, *costs.splitlines()]))
    verdict = "all that the run needs is there"
    if quick:
        verdict = "all files that the run needs are there; few were decoded"
    if problems:
        verdict = "\n  ".join(["not ready:", *problems])
    return "\n\n".join([*blocks, verdict])
