"""Denoise images; see to data sets, runs and noise stores."""

import argparse
import logging
import os
import sys
from importlib import import_module, metadata

from mid_core.errors import MidError

COMMANDS = ("denoise", "doctor", "inspect", "plan", "recover", "status", "verify")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mid", description=__doc__)
    version = f"%(prog)s {metadata.version('mid-denoise')}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"mid_core.commands.{name}")
        summary = module.__doc__
        help_line = summary[0].lower() + summary[1:].rstrip(".")
        command = commands.add_parser(name, help=help_line, description=summary)
        module.arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main() -> int | None:
    """Run the command line; a mistake ends with a sentence and status 1."""
    # Names of files may be no UTF-8: what cannot be printed is escaped.
    sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        status = arguments.run(arguments)
        sys.stdout.flush()
    except MidError as error:
        sys.exit(f"Error: {error}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("mid_"):
            raise
        # What `mid denoise` needs is always there.
        sys.exit(
            f"Error: this command needs {error.name}, which is not installed: "
            "pip install 'mid-denoise[workflow]'"
        )
    except BrokenPipeError:
        # Who reads has read enough, as `head` does; Python would try once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    return status
