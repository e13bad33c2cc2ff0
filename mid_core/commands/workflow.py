"""Print the folder that has the workflow and its configs, for Snakemake."""

import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes: nothing."""


def run(arguments: argparse.Namespace) -> None:
    """Print where the workflow is installed."""
    from mid_core.runtime.shipped import shipped

    print(shipped())
