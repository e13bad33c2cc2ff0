"""The config of ``mid run``: what it changes of ``folders.yaml``, and its steps."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from mid_config.loading import load_config
from mid_core.commands.run_request import BASE, CONFIG, DATASET, Request
from mid_core.errors import MidError
from mid_core.evaluation.sights import image_files
from mid_core.networks import build
from mid_core.planning.step_trial import STEP_PASSES, pass_seconds
from mid_core.runtime.devices import pick_device
from mid_core.runtime.files import replacing
from mid_core.runtime.shipped import shipped
from mid_core.trainer import Training

PAIRS = "pairs"
# Steps of the second training for each of the first, and of a trial; how many trials.
TAUGHT, TRIAL, TRIALS = 4, 1 / 6, 3
# Of the time, the rest is for all but training.
FOR_TRAINING = 0.85
FEWEST_STEPS = 20


def write_config(request: Request) -> bool:
    """Write what this run changes of ``folders.yaml``; False: it is there.

    Raises
    ------
    MidError
        If a folder of clean images or of pairs is none.
    """
    path = request.folder / CONFIG
    if path.is_file():
        print(
            f"going on as {path} says, with its minutes and its clean images; to begin "
            f"anew, delete {request.folder}"
        )
        return False
    # A wrong folder is refused before a step is timed.
    images, steps = _images(request), _steps(request)
    changes = {"dataset": DATASET, **images, **_trainings(request, steps)}
    content = yaml.safe_dump(changes, sort_keys=False)
    about = f"# Written by mid run: what differs from {shipped() / BASE}.\n"
    with replacing(path, ".yaml") as part:
        part.write_text(about + content)
    print(
        f"training: {steps['first']} steps on noise like that, then {steps['taught']} "
        f"on what the first makes of your images; about {request.minutes:g} min"
        + (", as this machine trains" if request.profile else "")
    )
    return True


def steps_in(minutes: float, step_seconds: float) -> dict[str, int]:
    """Return the steps of each training that take so many minutes together.

    Parameters
    ----------
    minutes
        Of the whole run.
    step_seconds
        Of one step.

    Examples
    --------
    >>> steps_in(10, 0.02)
    {'first': 4636, 'taught': 18544, 'trial': 772}
    """
    steps = FOR_TRAINING * 60 * minutes / step_seconds
    first = max(FEWEST_STEPS, int(steps / (1 + TAUGHT + TRIALS * TRIAL)))
    trial = max(FEWEST_STEPS // 2, int(TRIAL * first))
    return {"first": first, "taught": TAUGHT * first, "trial": trial}


def planned_steps(request: Request) -> dict[str, int]:
    """Return the steps of each training, as the config that was written says."""
    method = yaml.safe_load((request.folder / CONFIG).read_text())["method"]
    return {
        "trial": method["trials"]["iterations"],
        "first": method["training"]["iterations"],
        "taught": method["taught"]["training"]["iterations"],
    }


def _steps(request: Request) -> dict[str, int]:
    """Return the steps of each training, by how long one takes here."""
    method = load_config([shipped() / BASE], {})["method"]
    training = Training(**_own(method["training"]))
    step = _step_seconds(method["network"], training, request.device)
    return steps_in(request.minutes, step)


def _images(request: Request) -> dict[str, Any]:
    tests = _scored(request)
    # `mid run` has named what cannot be read; the rest is worth a training.
    noisy = _noisy(request) | {"broken": "skip"}
    pools = {"clean": _clean(request), "noisy": noisy} | tests
    return {"pools": pools, "tests": list(tests)}


def _trainings(request: Request, steps: dict[str, int]) -> dict[str, Any]:
    return {
        "method": {
            "training": {"iterations": steps["first"]},
            "taught": {"training": {"iterations": steps["taught"]}},
            "trials": {"iterations": steps["trial"]},
        },
        "compared": {"nlm": None, "bm3d": None},
        "runtime": {"device": request.device, "threads": request.threads},
    }


def _clean(request: Request) -> dict[str, Any]:
    if request.clean:
        return {"reader": "folders", "path": _folder(request.clean)}
    return {"reader": "camera", "part": "clean", "shots": 3}


def _noisy(request: Request) -> dict[str, Any]:
    path = request.noisy.absolute()
    if not path.is_file():
        return {"reader": "folders", "path": str(path)}
    name = re.sub(r"([\[\]*?])", r"[\1]", path.name)
    return {"reader": "folders", "path": str(path.parent), "pattern": name}


def _scored(request: Request) -> dict[str, dict[str, Any]]:
    """The pool that scores, if there are pairs."""
    if request.pairs is None:
        return {}
    noisy, clean = map(_folder, request.pairs)
    return {PAIRS: {"reader": "folders", "path": noisy, "truth": {"path": clean}}}


def _folder(path: Path) -> str:
    """Return where a folder of images is; refuse what is none."""
    if not path.is_dir():
        raise MidError(f"{path} is not a folder: give one that holds images")
    image_files(path)
    return str(path.absolute())


def _own(training: dict[str, Any]) -> dict[str, Any]:
    """Take the settings of a training itself."""
    return {k: v for k, v in training.items() if k in Training.__dataclass_fields__}


def _step_seconds(network: dict[str, Any], training: Training, device: str) -> float:
    where = pick_device(device, needed=device != "auto", wait=False)
    settings = replace(training, iterations=1)
    a_pixel = pass_seconds(build(network), settings, where)
    return STEP_PASSES * training.batch_size * training.patch_size**2 * a_pixel
