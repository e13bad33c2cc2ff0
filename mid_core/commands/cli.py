"""The command `mid`: finds what to do, and turns what goes wrong into sentences."""
# PYTHON_ARGCOMPLETE_OK

import argparse
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from types import FrameType

from mid_core.errors import MidError
from mid_core.runtime.files import advice

# Docstrings would be gone under PYTHONOPTIMIZE=2.
COMMANDS = {
    "denoise": "denoise a file or a folder of images",
    "doctor": "say what is missing or broken before a run",
    "inspect": "show a noise store, or the noise of images",
    "plan": "say what a run will take: time, GPU-hours, memory, disk, longest chain",
    "run": "denoise a folder of noisy photos, after training on them",
    "recover": "clear the lock that a killed run left",
    "status": "say how far a run is, what failed, and what to type next",
    "verify": "check stores and models against the hashes of when they were made",
    "workflow": "print the folder of the workflow and its configs, for Snakemake",
}


def _parser() -> argparse.ArgumentParser:
    about = "Denoise images; see to data sets, runs and noise stores."
    parser = argparse.ArgumentParser(prog="mid", description=about)
    version = f"%(prog)s {metadata.version('mid-denoise')}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        module = import_module(f"mid_core.commands.{name}")
        about = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(name, help=summary, description=about)
        module.arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main() -> int | None:
    """Run the command line; a mistake ends with a sentence and status 1."""
    _open_streams()
    try:
        with _ended_by_signals():
            try:
                return _run()
            finally:
                sys.stdout.flush()
    except MidError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        print("Interrupted: what was finished is kept.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("mid_"):
            raise
        # What `mid denoise` needs is always there.
        sys.exit(
            f"Error: this command needs {error.name}, which is not installed: "
            "pip install 'mid-denoise[workflow]'"
        )
    except OSError as error:
        sys.exit(_refusal(error))
    finally:
        _give_up_streams()


def _run() -> int | None:
    parser = _parser()
    # A shell asks how the line may go on.
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)
    # `mid denoise "$UNSET" out` would denoise the current folder.
    if any(
        not word or (word.startswith("--") and word[-1] == "=") for word in sys.argv[1:]
    ):
        parser.error("an argument is empty: is a variable of the shell not set?")
    arguments = _parsed(parser)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    return arguments.run(arguments)


def _parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse what was typed, options between images and output included."""
    arguments, rest = parser.parse_known_args()
    if rest:
        if "inputs" not in arguments or any(word.startswith("-") for word in rest):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        # In `mid denoise a b --seed 1 out`, argparse takes b for the output.
        words = [*arguments.inputs, arguments.output, *rest]
        *arguments.inputs, arguments.output = words
    return arguments


def _open_streams() -> None:
    """Make output possible where it was closed, and of any name in any encoding."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
        getattr(sys, name).reconfigure(errors="backslashreplace")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end Python in order, so that no helper file stays."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    # Under nohup, SIGHUP is ignored and stays so.
    signals = (signal.SIGTERM, signal.SIGHUP)
    ours = [sign for sign in signals if signal.getsignal(sign) == signal.SIG_DFL]
    for sign in ours:
        signal.signal(sign, end)
    try:
        yield
    finally:
        for sign in ours:
            signal.signal(sign, signal.SIG_DFL)


def _refusal(error: OSError) -> str | int:
    """Say what the system refused; nothing to a reader who has read enough."""
    if isinstance(error, BrokenPipeError):
        return 1
    where = error.filename or "what it prints"
    return f"Error: {where} ({error.strerror or error}): {advice(error)}"


def _give_up_streams() -> None:
    """Leave nothing in full or closed streams, which Python would try again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
