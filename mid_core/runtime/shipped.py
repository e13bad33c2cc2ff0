"""Where the workflow and its configs are: in a clone, or as a wheel installs them."""

import os
from pathlib import Path


def shipped() -> Path:
    """Return the folder that has ``workflow/``, ``config/`` and ``slurm/``."""
    beside = Path(__file__).parents[2]
    # As pyproject.toml names it; a clone has no such folder.
    installed = beside / "mid_workflow"
    return installed if installed.is_dir() else beside


def the_snakefile() -> Path:
    """Return the workflow's Snakefile."""
    return shipped() / "workflow/Snakefile"


def found(name: str | Path) -> Path:
    """Return the path of a config: the one here, else the shipped one of that name.

    Parameters
    ----------
    name
        A path, such as ``config/folders.yaml``.

    Examples
    --------
    >>> found("config/no_such_config.yaml").as_posix()
    'config/no_such_config.yaml'
    """
    here, there = Path(name), shipped() / name
    return there if there.exists() and not here.exists() else here


def profile(name: str) -> str:
    """Return the profile of Snakemake: one that it finds itself, else the shipped one.

    Parameters
    ----------
    name
        As after ``--profile``: a path, or a name in the user's own folder of profiles.
    """
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return name if (home / "snakemake" / name).exists() else str(found(name))


def snakemake_command() -> list[str]:
    """Return the words that call Snakemake on the workflow in the current folder."""
    # Where Snakemake looks by itself.
    here = any(Path(name).is_file() for name in ("Snakefile", "workflow/Snakefile"))
    return ["snakemake", *([] if here else ["--snakefile", str(the_snakefile())])]
