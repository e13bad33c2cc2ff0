"""Output that cannot be written, names of any bytes, and ends that come from outside."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from mid_core.checkpoints.model_file import save_model
from tests.conftest import TINY
from tests.pictures import independent_read, noise, save_pages, save_pillow

MID = "import sys; from mid_core.commands.cli import main; sys.exit(main())"
# What it prints waits in a buffer, as it does for a person.
PLAIN = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}


def mid(*arguments, encoding="utf-8", env=None, **streams):
    """Run the command in a process of its own."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    env = PLAIN | {"PYTHONIOENCODING": encoding} | (env or {})
    command = [sys.executable, "-c", MID, *arguments]
    return subprocess.run(command, check=False, text=True, env=env, **streams)


@pytest.fixture
def folder(tmp_path, network, monkeypatch):
    """A model and a picture, in the current folder."""
    card = {"network": TINY, "masking": {"mask_ratio": 0.3}}
    card |= {"patch_size": 16, "channels": 3}
    save_model(tmp_path / "model.safetensors", network, card)
    save_pillow(tmp_path / "a.png", noise(3))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_full_output_is_a_sentence(folder, unbuffered):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        run = mid("recover", stdout=full, env={"PYTHONUNBUFFERED": unbuffered})
    expected = "Error: what it prints (No space left on device): make room there\n"
    assert (run.returncode, run.stderr) == (1, expected)


def test_a_reader_that_has_read_enough_sees_no_traceback(folder):
    reading, writing = os.pipe()
    os.close(reading)
    run = mid("recover", stdout=writing)
    os.close(writing)
    assert (run.returncode, run.stderr) == (1, "")


def closed():
    os.close(1)
    os.close(2)


def test_work_goes_on_where_nobody_listens(folder):
    arguments = ("denoise", "a.png", "b.png", "--model", "model.safetensors")
    assert mid(*arguments, preexec_fn=closed).returncode == 0
    with open("/dev/full", "w") as full:  # noqa: PTH123
        assert mid(*arguments[:2], "c.png", *arguments[3:], stderr=full).returncode == 0
    assert independent_read(folder / "b.png").shape == noise(3).shape
    assert (folder / "b.png").read_bytes() == (folder / "c.png").read_bytes()


def test_help_needs_no_docstrings(folder):
    run = mid("--help", env={"PYTHONOPTIMIZE": "2"})
    assert "denoise a file or a folder of images" in " ".join(run.stdout.split())


def test_names_of_any_bytes_are_denoised_and_shown_in_any_encoding(folder):
    (folder / os.fsdecode(b"\xe9t\xe9")).mkdir()
    for name in (b"\xe9t\xe9/\xff.png", b"\xe9t\xe9/_\xe2\x98\x83.png"):
        save_pillow(folder / os.fsdecode(name), noise(3))
    (folder / os.fsdecode(b"\xe9t\xe9/broken\xfe.png")).write_bytes(b"no image")
    run = mid(
        *("denoise", os.fsdecode(b"\xe9t\xe9"), "out", "--model", "model.safetensors"),
        encoding="ascii",
    )
    assert run.returncode == 1
    assert (
        "1 of 3 failed:\n\\udce9t\\udce9/broken\\udcfe.png cannot be read" in run.stderr
    )
    found = sorted(os.fsencode(path.name) for path in (folder / "out").iterdir())
    assert found == [b"_\xe2\x98\x83.png", b"\xff.png"]


@pytest.mark.parametrize(
    ("sign", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
)
def test_signals_leave_no_helper_files(folder, sign, status):
    # The first page is soon on the disk, the last one never.
    save_pages(folder / "a.tif", [noise(3)] * 9999)
    # Where the tests run in the background, signals may be ignored.
    usual = "default_int_handler" if sign == signal.SIGINT else "SIG_DFL"
    heed = f"import signal; signal.signal({sign:d}, signal.{usual}); "
    command = [sys.executable, "-c", heed + MID, "denoise", "a.tif", "out/a.tif"]
    command += ["--model", "model.safetensors"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=PLAIN)
    while not list(folder.glob("out/.mid-*")):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    # A library may swallow one that comes at an unlucky moment.
    while process.poll() is None:
        process.send_signal(sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
    told = process.communicate()[1]
    assert process.returncode == status
    assert not list((folder / "out").iterdir())
    assert "Traceback" not in told
    assert ("Interrupted: what was finished is kept." in told) == (status == 130)
