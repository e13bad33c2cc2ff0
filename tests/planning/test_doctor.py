"""What `mid doctor` says of sound and of unsound data sets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import yaml

from mid_core.commands import doctor
from mid_core.planning.consultation import consult
from tests.conftest import ROOT, TINY

CONFIG = {
    "dataset": "tiny",
    "pools": {
        "clean": {"reader": "folders", "path": "clean"},
        "noisy": {
            "reader": "folders",
            "path": "noisy",
            "truth": {"path": "truth"},
        },
    },
    "tests": ["noisy"],
    "method": {
        "awgn": {"count": 3, "size": 17},
        "network": TINY,
        "training": {"iterations": 4, "batch_size": 2, "patch_size": 16},
        "rounds": [{"mask_ratio": 0.8}, {"mask_ratio": 0.3}],
    },
    "runtime": {"device": "cpu", "threads": 1},
}


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    for part, count in (("clean", 2), ("noisy", 3), ("truth", 3)):
        (tmp_path / part).mkdir()
        for i in range(count):
            image = rng.integers(0, 256, (23 + i, 31, 3), np.uint8)
            iio.imwrite(tmp_path / part / f"{i}.png", image)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def say(folder, quick=False, **changes):
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG | changes))
    return consult([path], quick)


def with_pool(name, **settings):
    pools = CONFIG["pools"]
    return pools | {name: pools[name] | settings}


def test_a_sound_run_is_priced(folder):
    text, sound = say(folder)
    assert sound
    assert text.endswith("all that the run needs is there")
    for rule in ("train_round", "extract_noise", "evaluate"):
        assert re.search(rf"^  {rule} +\d .* trial \(\d\)$", text, re.MULTILINE), rule
    assert re.search(r"^  all +\d+ .* GB +\d+ ", text, re.MULTILINE)
    assert "trials were computed on cpu" in text
    assert "*, 3 images" in text
    text, sound = say(folder, quick=True)
    assert sound
    assert text.endswith("are there; few were decoded")
    assert "the run will take" not in text


def test_everything_that_is_wrong_is_in_one_report(folder):
    whole = (folder / "clean/1.png").read_bytes()
    (folder / "clean/1.png").write_bytes(whole[: len(whole) // 2])
    (folder / "truth/2.png").unlink()
    iio.imwrite(folder / "noisy/1.png", np.zeros((24, 30, 3), np.uint8))
    text, sound = say(folder)
    assert not sound
    for path in ("clean/1.png", "noisy/2.png", "noisy/1.png"):
        assert f"- {path} " in text
    assert text.endswith("not ready:\n  see clean\n  see noisy")
    # Listing does not decode, but it pairs.
    text, sound = say(folder, quick=True)
    assert not sound
    assert "clean/1.png" not in text


def test_a_truth_that_nothing_needs_is_not_asked_for(folder):
    for path in (folder / "truth").iterdir():
        path.unlink()
    (folder / "truth").rmdir()
    text, sound = say(folder, quick=True, tests=[])
    assert sound
    assert "noisy images" in text


def test_a_broken_noisy_image_of_a_scored_pool_is_seen(folder):
    (folder / "noisy/1.png").write_bytes(b"no image")
    text, sound = say(folder)
    assert not sound
    assert "- noisy/1.png " in text


def test_skipped_images_are_counted_and_stop_nothing(folder):
    (folder / "noisy/0.png").write_bytes(b"no image")
    assert not say(folder, tests=[])[1]
    pools = with_pool("noisy", broken="skip")
    assert say(folder, quick=True, tests=[], pools=pools)[1]
    text, sound = say(folder, tests=[], pools=pools)
    assert sound
    assert "1 broken image(s) will be left out" in text


@pytest.mark.parametrize(
    ("file", "image", "problem"),
    [
        ("clean/2.png", np.zeros((30, 30), np.uint8), "'2.png' has 1 colour"),
        ("noisy/0.png", np.zeros((30, 30), np.uint8), "'1.png' has 3 colour"),
        ("clean/0.png", np.zeros((15, 30, 3), np.uint8), "but 16 a side are needed"),
    ],
)
def test_what_ingest_and_training_would_refuse_is_refused(file, image, problem, folder):
    iio.imwrite(folder / file, image)
    text, sound = say(folder, tests=[])
    assert not sound
    assert problem in text


def test_what_a_few_images_show_is_refused_before_any_job(folder):
    for i in range(2):
        iio.imwrite(folder / f"clean/{i}.png", np.zeros((30, 30), np.uint8))
    for check in (True, False):
        text, sound = say(folder, True, runtime={"check_disk_space": check})
        assert not sound
        assert "'noisy' has 3 colour(s) but 'clean' has 1" in text


def test_names_that_are_not_utf8_are_refused_before_any_job(folder):
    for part in ("noisy", "truth"):
        (folder / part / "0.png").rename(folder / part / os.fsdecode(b"\xe9t.png"))
    for quick in (True, False):
        text, sound = say(folder, quick)
        assert not sound
        for part in ("noisy", "truth"):
            said = rf"{folder}/{part}/\udce9t.png: this name is not UTF-8"
            assert said in text
    # In what other problems say, it is escaped, too.
    (folder / "truth" / os.fsdecode(b"\xe9t.png")).unlink()
    code = "import sys; from mid_core.commands.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "doctor", "--quick", "config.yaml"]
    run = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (1, b"")
    assert rb"noisy/\udce9t.png has no truth" in run.stdout


def test_a_pool_of_a_compared_method_alone_may_be_absent(folder):
    pools = CONFIG["pools"] | {"extra": {**CONFIG["pools"]["noisy"], "path": "lost"}}
    compared = {"dncnn": {"pairs": "extra"}}
    said, sound = say(folder, quick=True, pools=pools, compared=compared)
    assert sound
    assert "`snakemake compare` cannot run" in said


def test_the_exit_status_tells(folder, capsys):
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG))

    class Arguments:
        config, quick = (path,), True

    assert doctor.run(Arguments) == 0
    (folder / "truth/0.png").unlink()
    assert doctor.run(Arguments) == 1
    assert "noisy/0.png has no truth in truth" in capsys.readouterr().out


@pytest.mark.parametrize(
    "over", [[], ["choices"], ["minutes"], ["gpu"], ["polyu"], ["fmd"]]
)
def test_the_configs_of_real_noise_fit_their_images(shared, over, monkeypatch):
    monkeypatch.chdir(ROOT)
    said, sound = consult(
        [Path(f"config/{name}.yaml") for name in ("real_noise", *over)], quick=True
    )
    assert sound, said
