"""All that changes in a training, as plain data: it goes on from there bit by bit."""

from typing import Any

import torch

from mid_core.trainer import Trainer


def state_of(trainer: Trainer) -> dict[str, Any]:
    """Return everything from which the training goes on as if never cut."""
    parts = {name: part.state_dict() for name, part in _stateful(trainer).items()}
    return parts | {
        "step": trainer.steps,
        "skipped": trainer.skipped,
        "losses": trainer.recent_losses(),
        "history": trainer.history,
        "seconds": trainer.seconds,
        "random": {
            name: generator.get_rng_state()
            for name, generator in _generators(trainer.device).items()
        },
    }


def restore(trainer: Trainer, state: dict[str, Any]) -> None:
    """Go on from a state that ``state_of`` gave, here or on another device."""
    for name, part in _stateful(trainer).items():
        part.load_state_dict(state[name])
    trainer.steps, trainer.history = state["step"], state["history"]
    trainer.skipped = state["skipped"]
    trainer.losses = list(torch.tensor(state["losses"], device=trainer.device))
    trainer.begin(state["seconds"])
    for name, generator in _generators(trainer.device).items():
        if name in state["random"]:
            generator.set_rng_state(state["random"][name])


def _stateful(trainer: Trainer) -> dict[str, Any]:
    parts: dict[str, Any] = {"network": trainer.network, "average": trainer.average}
    for part, optimizer in trainer.optimizers.items():
        parts[f"optimizer{part}"] = optimizer
        parts[f"schedule{part}"] = trainer.schedules[part]
    return {name: part for name, part in parts.items() if part}


def _generators(device: torch.device) -> dict[str, Any]:
    """Torch's generators; batches do not need them, a network with dropout would."""
    if device.type == "cpu":
        return {"cpu": torch.random}
    return {"cpu": torch.random, device.type: torch.get_device_module(device)}
