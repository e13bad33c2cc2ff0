"""Put denoised images into the files that a benchmark's server takes."""

import platform
from pathlib import Path

from mid_core.evaluation.submissions import dnd_bundle, sidd_csv, sidd_mat
from mid_core.jobs.rule import run_rule
from mid_core.runtime.progress import log
from mid_core.store import Store, sha256, write_json

COMPLETE = {"sidd_csv": 1280, "sidd_mat": 1280, "dnd": 1000}


def written(denoised: Store, folder: Path) -> list[Path]:
    """Write the bundle in the format that the config names."""
    settings = snakemake.params.settings
    if settings["format"] == "sidd_csv":
        return sidd_csv(denoised, folder)
    if settings["format"] == "dnd":
        return dnd_bundle(denoised, folder)
    about = {
        "MethodName": settings["method_name"],
        "Authors": settings["authors"],
        "PaperTitle": settings["paper"],
        "Venue": settings["venue"],
        "MachineSpecs": f"{platform.platform()}, {denoised.attributes['machine']}",
    }
    seconds = denoised.attributes["seconds_per_megapixel"]
    return sidd_mat(denoised, folder, seconds, about)


def main() -> None:
    denoised = Store.of(snakemake.input[0])
    target = Path(snakemake.output[0])
    files = {}
    for path in written(denoised, target.parent):
        files[path.relative_to(target.parent).as_posix()] = sha256(path)
    images = COMPLETE[snakemake.params.settings["format"]]
    listed = {
        "files": files,
        "images": len(denoised),
        "complete": len(denoised) == images,
        "model": denoised.attributes["model"],
        "settings": snakemake.params.settings,
    }
    if not listed["complete"]:
        log.warning("%d images: the server expects %d", len(denoised), images)
    write_json(target, listed)


run_rule(main, snakemake.log[0])
