"""What is on this disk of the data sets that a run needs, and what is wrong with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mid_core.datasets import describe, reader, split_pool, survey
from mid_core.datasets.finding import Found
from mid_core.datasets.ingesting import decode
from mid_core.errors import MidError
from mid_core.progress import Progress

SHOWN = 20


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
    """

    pool: str
    settings: dict
    uses: Sequence[str]
    found: Found = field(default_factory=Found)
    missing: str = ""

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
            lines.append("  so        not available: the run goes on without it")
        else:
            lines.append(f"  found     {describe(self.settings, len(items))['split']}")
        problems = self.found.problems
        if problems:
            lines.append(f"  WRONG     {len(problems)} thing(s):")
            lines += [f"            - {problem}" for problem in problems[:SHOWN]]
            if len(problems) > SHOWN:
                lines.append(f"            and {len(problems) - SHOWN} more")
        lines.append(f"  published {about.published}")
        return [*lines, f"  terms     {about.terms}"]


def look(settings: dict, stacks: Sequence[str]) -> Found:
    """List a pool's images and problems, as the workflow will.

    Parameters
    ----------
    settings
        Of the pool.
    stacks
        What will be read: ``"image"``, and maybe ``"truth"``.
    """
    try:
        sides = split_pool(settings) if "split" in settings else None
    except MidError as error:
        # What the reader says of the folder comes first: it is the cause.
        problems = reader(settings).find(settings, None).problems
        return Found(problems=problems or [str(error)])
    return survey(settings, sides, stacks)


def decode_all(
    pool: str, settings: dict, found: Found, stacks: Sequence[str], threads: int
) -> None:
    """Decode every image of a pool, and add those that are broken to its problems."""
    for stack in stacks:
        items = [item for item in found.items if stack in item]
        report = Progress(f"{pool}: decode {stack}", len(items), "image")
        for decoded in decode(items, settings, stack, threads):
            if isinstance(decoded, MidError):
                found.problems.append(str(decoded))
            report()


def sample(settings: dict, items: Sequence[dict], count: int) -> Iterable[np.ndarray]:
    """Decode a few images that are spread evenly over a pool."""
    chosen = np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)
    few = [items[i] for i in chosen]
    decoded = decode(few, settings, "image", threads=1)
    return [image for image in decoded if not isinstance(image, MidError)]


def wrong(findings: Iterable[Finding]) -> list[str]:
    """Name the pools that the run needs and that are not sound."""
    return [finding.pool for finding in findings if finding.found.problems]


def report(findings: Sequence[Finding], costs: Mapping[str, str]) -> str:
    """Put together what there is to say.

    Parameters
    ----------
    findings
        Of the pools.
    costs
        What the run will take, as ``estimate.costs`` says it; empty if not asked for.
    """
    blocks = ["\n".join(finding.lines()) for finding in findings]
    if costs:
        width = max(map(len, costs))
        rows = [f"  {what:{width}}  {much}" for what, much in costs.items()]
        blocks.append(
            "\n".join(["the run will take, at the speed of this machine:", *rows])
        )
    bad = wrong(findings)
    verdict = (
        f"not ready: see {', '.join(bad)}" if bad else "all that the run needs is there"
    )
    return "\n\n".join([*blocks, verdict])
