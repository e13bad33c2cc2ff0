"""Make a model of ours of the weights that somebody published."""

from pathlib import Path

from mid_core.checkpoints.model_file import save_model
from mid_core.jobs.rule import run_rule
from mid_core.networks.published import network_of
from mid_core.store import write_json


def main() -> None:
    settings, outputs = snakemake.params.settings, snakemake.output
    network, facts = network_of(Path(snakemake.input.file))
    made = {"stage": "take_weights", "version": snakemake.params.version}
    card = settings | facts | {"masking": {"mask_ratio": 0}, "made_by": made}
    card["parameters"] = sum(p.numel() for p in network.parameters())
    sha256 = save_model(Path(outputs.weights), network, card)
    write_json(Path(outputs.model), card | {"sha256": sha256, "train_seconds": None})


run_rule(main, snakemake.log[0])
