"""Installed from a wheel, far from the repository: the workflow is there, too."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv

import imageio.v3 as iio
import numpy as np
import pytest
import yaml

from tests.conftest import ROOT
from tests.running import CONFIG, draw_images

# As `python -m build` does: the wheel is made of what the source distribution holds.
BUILD = "import sys; from setuptools import build_meta; build_meta.build_{}('.')"
PARTS = ("mid_config", "mid_core", "workflow", "config", "slurm", "results/README.md")
FILES = ("environment.yml", "pyproject.toml", "README.md", "LICENSE")


def build(kind, folder):
    command = [sys.executable, "-c", BUILD.format(kind)]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The packages of a new environment: the wheel, and what this one has besides."""
    source, home = (tmp_path_factory.mktemp(name) for name in ("source", "home"))
    for name in (*PARTS, *FILES):
        (source / name).parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    build("sdist", source)
    with tarfile.open(next(source.glob("*.tar.gz"))) as packed:
        packed.extractall(source, filter="data")
    (unpacked,) = source.glob("mid_denoise-*/")
    build("wheel", unpacked)
    (wheel,) = unpacked.glob("*.whl")
    venv.create(home / "env", with_pip=True)
    install = [home / "env/bin/python", "-m", "pip", "install", "--no-index"]
    subprocess.run([*install, "--no-deps", wheel], capture_output=True, check=True)
    (site,) = home.glob("env/lib/python*/site-packages")
    # Of a folder named here Python reads no further .pth files: not the editable one.
    (site / "dev.pth").write_text(sysconfig.get_path("purelib"))
    return site


def run(site, folder, *command):
    """Run a program of the new environment."""
    bin = site.parents[2] / "bin"
    own = {"PATH": f"{bin}:/usr/bin:/bin", "HOME": str(site), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [bin / command[0], *command[1:]],
        cwd=folder,
        env=own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked(*folders):
    names = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(names, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}


@pytest.mark.exhaustive
def test_all_that_is_tracked_of_the_packages_and_the_workflow_is_installed(site):
    def installed(folder, *below):
        files = [path for part in below for path in (folder / part).rglob("*.*")]
        files += [folder / "workflow/Snakefile"] if "workflow" in below else []
        plain = {os.path.relpath(path, folder) for path in files if path.is_file()}
        return {name for name in plain if "__pycache__" not in name}

    packages = ("mid_config", "mid_core")
    assert installed(site, *packages) == tracked(*packages)
    parts = ("workflow", "config", "slurm", "results")
    assert installed(site / "mid_workflow", *parts) == tracked(*parts)


def _see_the_report(out):
    """Before and after are in it, and what was taken out; without truths no PSNR."""
    page = (out / "report.html").read_text()
    assert "No truth is known, so there is no PSNR" in page
    assert "These images show noise of 2" in page
    # Of what was run, not of the variants of the target `paper`.
    assert "<dt>trainings</dt><dd>0</dd>" in page
    folder = out / "mid/results/photos/figures/compared"
    index = json.loads((folder / "index.json").read_text())
    assert {image["name"] for image in index["images"]} == {
        "0.png",
        "1.png",
    }
    assert index["protocol"] is None
    methods = index["images"][0]["methods"]
    assert {(one["psnr_db"], one["ssim"]) for one in methods} == {(None, None)}
    pictures = {one["key"]: iio.imread(folder / one["file"]) for one in methods}
    assert list(pictures) == ["noisy", "mid_0", "mid_1", "taken_out"]
    noisy, answer = (pictures[key].astype(float) for key in ("noisy", index["shown"]))
    expected = np.clip(127.5 + 4 * (noisy - answer), 0, 255)
    # What was cut off at black or white in the picture of the answer is not known.
    inside = (answer > 0) & (answer < 255)
    assert inside.mean() > 0.5
    assert np.abs(pictures["taken_out"] - expected)[inside].mean() < 3


@pytest.mark.exhaustive
def test_one_command_denoises_a_folder_far_from_any_clone(site, tmp_path):
    def draw(name, noise, seed):
        rng = np.random.default_rng(seed)
        light = np.linspace(60, 190, 130)[None, :, None] * np.ones((96, 1, 3))
        pixels = np.clip(light + rng.normal(0, noise, light.shape), 0, 255)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        iio.imwrite(tmp_path / name, pixels.astype(np.uint8))

    def mid_run():
        command = (
            "mid",
            "run",
            "noisy",
            "out",
            "--clean",
            "clean",
            "--minutes",
            "0.01",
        )
        return run(site, tmp_path, *command, "--cores", "1", "--device", "cpu")

    for seed, (name, noise) in enumerate(
        [("noisy/0.png", 25), ("noisy/1.png", 25), ("clean/2.png", 0)]
    ):
        draw(name, noise, seed)
    assert "2 of 2 image(s) are to be denoised" in mid_run()
    answer = iio.imread(tmp_path / "out/0.png")
    assert (answer.shape, answer.dtype) == ((96, 130, 3), np.uint8)
    _see_the_report(tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"noisy", "clean", "out"}
    log = (tmp_path / "out/mid/run.log").read_text()
    assert f"{site}/mid_workflow/workflow/Snakefile" in log
    assert f"{ROOT}/workflow" not in log
    # With a new photo nothing is trained.
    draw("noisy/2.png", 25, 5)
    assert "1 of 3 image(s) are to be denoised" in mid_run()
    assert (tmp_path / "out/2.png").is_file()


@pytest.mark.exhaustive
def test_every_command_finds_the_workflow_and_its_configs(site, tmp_path):
    where = f"{site}/mid_workflow\n"
    assert run(site, tmp_path, "mid", "workflow") == where
    assert run(site, tmp_path, "python", "-m", "mid_core", "workflow") == where
    # A config that is not here is the shipped one of that name.
    said = run(site, tmp_path, "mid", "doctor", "--quick")
    assert "all files that the run needs are there" in said
    draw_images(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    said = run(site, tmp_path, "mid", "plan", "config.yaml")
    assert "plan of tiny: 25 jobs" in said
    said = run(site, tmp_path, "mid", "status", "config.yaml")
    snakefile = f"--snakefile {site}/mid_workflow/workflow/Snakefile"
    assert f"tiny: 0 of 25 done; next: snakemake {snakefile}" in said
