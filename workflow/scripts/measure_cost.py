"""Measure what one pass of a round's network costs."""

from pathlib import Path

import torch

from mid_core.checkpoints.model_file import load_model
from mid_core.jobs.rule import run_rule
from mid_core.networks.measure import measure
from mid_core.runtime.devices import pick_device
from mid_core.store import write_json


def main() -> None:
    runtime = snakemake.config["runtime"]
    torch.set_num_threads(runtime["threads"])
    device = pick_device(runtime["device"], needed=False)
    network, _ = load_model(snakemake.input.model, device)
    found = measure(network, device) | {"device": device.type}
    write_json(Path(snakemake.output[0]), found | {"threads": runtime["threads"]})


run_rule(main, snakemake.log[0])
