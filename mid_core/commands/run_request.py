"""What a person asks of ``mid run``, and where the run lies."""

import os
from dataclasses import dataclass
from pathlib import Path

DATASET, CONFIG, BASE = "photos", "config.yaml", "config/folders.yaml"


@dataclass(frozen=True)
class Request:
    """What a person asks of ``mid run``; see ``commands.run``."""

    noisy: Path
    out: Path
    clean: Path | None = None
    pairs: tuple[Path, Path] | None = None
    minutes: float = 15
    cores: int | None = None
    device: str = "auto"
    profile: str | None = None
    dry_run: bool = False
    force: bool = False

    @property
    def folder(self) -> Path:
        """Where the run itself lies: its config, its results, its log."""
        return self.out / "mid"

    @property
    def threads(self) -> int:
        """CPU threads of each job; a cluster's are not those of this machine."""
        return self.cores or (1 if self.profile else os.cpu_count() or 1)

    @property
    def results(self) -> Path:
        """What the workflow makes."""
        return self.folder / "results" / DATASET
