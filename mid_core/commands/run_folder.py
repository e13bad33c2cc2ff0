"""The workflow on one person's photos: looked at, trained on, denoised."""

import json
import shutil
from pathlib import Path

import numpy as np

from mid_core.commands.denoise_files import denoise_files
from mid_core.commands.last_model import RECORD
from mid_core.commands.run_config import write_config
from mid_core.commands.run_request import CONFIG, Request
from mid_core.commands.run_workflow import run_snakemake
from mid_core.errors import MidError
from mid_core.evaluation.look_report import summary
from mid_core.evaluation.sights import Sight, image_files, look_at
from mid_core.figures.look import look_figure
from mid_core.figures.style import draw
from mid_core.runtime.files import replacing

# Grey levels of 255: clean photos show up to two (Kodak's 1.9, SIDD's truths 1.8),
# the mildest noisy ones three (PolyU's 2.9).
LITTLE_NOISE = 2.0


def run_folder(request: Request) -> None:
    """Train on a person's noisy images, and denoise them.

    A second call with new images denoises those with the model that is there.

    Raises
    ------
    MidError
        If images or the workflow are missing, there is hardly any noise, or the run
        fails.
    """
    files = image_files(request.noisy)
    if not (request.results / RECORD).is_file():
        _refuse_taken(request, files)
        _look(request, files)
        is_new = write_config(request)
        run_snakemake(request)
        if request.dry_run and is_new:
            (request.folder / CONFIG).unlink()
    else:
        print(
            f"{request.out} has a trained model, which denoises what is new; to train "
            "again, for longer or with other images, give another output folder"
        )
    if not request.dry_run:
        _denoise(request, files)


def _refuse_taken(request: Request, files: list[Path]) -> None:
    """Refuse an output folder with files of the images' names, such as the images'."""
    taken = [file.name for file in files if (request.out / file.name).exists()]
    if taken:
        raise MidError(
            f"{request.out} already has files named as your images ({taken[0]} and so "
            "on), which would be taken for answers: give another output folder"
        )


def _look(request: Request, files: list[Path]) -> None:
    """Say what the noise is like; stop where there is hardly any."""
    sights, refused = look_at(files)
    print(summary(sights))
    print(f"  more: {request.out / 'noise.png'}, and `mid inspect {request.noisy}`")
    for sentence in refused:
        print(f"left out: {sentence}")
    if len(sights) > 1:
        raise MidError(
            f"{request.noisy} has grey images and such in colour: give each kind a run "
            "of its own"
        )
    request.folder.mkdir(parents=True, exist_ok=True)
    with replacing(request.out / "noise.png", ".png") as part:
        draw(look_figure, sights, to=[part])
    if (level := level_of(sights[0])) < LITTLE_NOISE and not request.force:
        raise MidError(
            f"these images show noise of {level:.1f} grey levels of 255, no more than "
            "clean photos do: to denoise them would take out detail; --force does it "
            "all the same"
        )


def level_of(sight: Sight) -> float:
    """Return the median level of the images' noise, in grey levels of 255."""
    levels = [one.mean_level for one in sight.camera.looks]
    return 255 * float(np.median(levels))


def _denoise(request: Request, files: list[Path]) -> None:
    """Denoise the images that are not denoised yet, and say what to look at."""
    record = request.results / RECORD
    if record.is_file():
        model = request.folder / json.loads(record.read_text())["model"]
    else:
        # A run that was killed after its last job has written none.
        *_, model = sorted(request.results.glob("mid/round_*/model.safetensors"))
    report = request.results / "report.html"
    if report.is_file():
        shutil.copyfile(report, request.out / "report.html")
        print(f"what was learnt of the noise: {request.out / 'report.html'}")
    new = [file for file in files if not (request.out / file.name).is_file()]
    print(f"{len(new)} of {len(files)} image(s) are to be denoised")
    if new:
        options = {"device": request.device, "skip_existing": True}
        denoise_files(request.noisy, request.out, model, **options)
    print(
        f"the denoised images are in {request.out}. Too smooth? mid denoise {request.noisy} "
        f"ANOTHER_FOLDER --model {model} --strength 0.7. More minutes, or clean images "
        "of your own (--clean), make a better model: into another folder"
    )
