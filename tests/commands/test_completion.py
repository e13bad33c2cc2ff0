"""The shell completes ``mid`` as argcomplete's scripts for it ask."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

CODE = "import sys; from mid_core.commands.cli import main; sys.exit(main())"
# As argcomplete's own function calls the program: answers come on descriptor 8.
CALL = 'exec "$@" 8>&1 9>/dev/null 1>/dev/null 2>/dev/null </dev/null'


def completions(line, folder):
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
        "IFS": "\013",
    }
    run = subprocess.run(
        ["sh", "-c", CALL, "sh", sys.executable, "-c", CODE],
        env=os.environ | asked,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split("\013"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mid den", {"denoise"}),
        ("mid denoise --s", {"--strength", "--seed", "--suffix", "--skip-existing"}),
        ("mid denoise --device c", {"cpu", "cuda"}),
        ("mid denoise a.png ph", {"photos/"}),
        ("mid denoise a.png photos/", {"photos/one.jpg", "photos/two words.tif"}),
        ("mid denoise --overwrite --model mo", {"model.safetensors"}),
    ],
)
def test_commands_options_and_files_are_completed(line, expected, tmp_path):
    (tmp_path / "photos").mkdir()
    for name in (
        "a.png",
        "model.safetensors",
        "photos/one.jpg",
        "photos/two words.tif",
    ):
        (tmp_path / name).touch()
    found = {word.replace("\\", "") for word in completions(line, tmp_path)}
    assert found == expected


def test_the_global_completion_of_a_system_finds_the_marker():
    with (ROOT / "mid_core/commands/cli.py").open() as file:
        assert "PYTHON_ARGCOMPLETE_OK" in file.read(1024)


def test_without_the_library_the_command_works_all_the_same(tmp_path):
    code = "import sys; sys.modules['argcomplete'] = None; " + CODE
    run = subprocess.run(
        [sys.executable, "-c", code, "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
