"""What a reader knows of its data set, and what it found of it on this disk."""

from dataclasses import dataclass, field
from pathlib import Path

from mid_config.walking import walk
from mid_core.errors import MidError
from mid_core.images.listing import list_images


@dataclass(frozen=True)
class About:
    """What people need to know of a data set to get it.

    Attributes
    ----------
    title
        Its name, as tables print it.
    published
        Where it is published, and with which paper.
    terms
        What its licence allows.
    expected
        The tree of files that the reader looks for, ``{path}`` standing for the
        config's path; several lines.
    complete
        How many images the whole data set has, by part; parts of open size are left
        out.
    extent
        Images of a part, and the (height, width) of the largest in pixels, as
        published: what a plan counts on while they are not here. None: not known.
    """

    title: str
    published: str
    terms: str
    expected: str
    complete: dict[str, int] = field(default_factory=dict)
    extent: tuple[int, int, int] | None = None


@dataclass
class Found:
    """The images of a pool, and everything that is wrong with its files.

    Attributes
    ----------
    items
        A plain dictionary for each image: its ``name``, unique in the pool, the path
        of its ``image``, where there is one the path of its ``truth``, and what else
        the reader needs to read it.
    problems
        A sentence for each thing that is missing or does not fit.
    notes
        A sentence for each thing that is no mistake, but may surprise.
    """

    items: list[dict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def images(self, folder: str | Path, pattern: str) -> dict[str, tuple[str, ...]]:
        """List a folder's images as `list_images`; that there is none is a problem."""
        try:
            return list_images(folder, pattern)
        except MidError as error:
            self.problems.append(str(error))
            return {}


def files_named(name: str, folder: Path) -> list[Path]:
    """List the files of a name at any depth, in any case, outside hidden folders."""
    return sorted(
        parent / file
        for parent, _, files in walk(folder)
        for file in files
        if file.lower() == name.lower()
    )
