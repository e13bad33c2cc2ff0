"""Accelerated passes compute what plain ones do, gradients too."""

import logging

import pytest
import torch

from benchmarks.nafnet_step import stirred
from mid_core.networks import acceleration, build
from mid_core.networks.acceleration import accelerate
from mid_core.runtime.devices import sender
from mid_core.trainer import Trainer, Training
from tests.conftest import TINY
from tests.networks.test_fast_paths import distance, gradients

# Crops, their side, precision and steps.
WORK = 2, 24, "fp32", 1
BATCH_NORM = {"name": "dncnn", "width": 8, "depth": 4, "norm": "batch"}
# Torch's compiler uses what torch no longer recommends.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def twins(settings, device="cpu"):
    """A network, and the same again; and a batch and its target."""
    torch.manual_seed(3)
    one, other = (build(settings).train() for _ in range(2))
    other.load_state_dict(stirred(one).state_dict())
    x = torch.rand(2, 2, 3, 24, 24, device=device)
    fast = [part.contiguous(memory_format=torch.channels_last) for part in x]
    return one.to(device), other.to(device), *fast


def assert_same(one, other, x, target):
    for _ in range(2):
        (found, slopes), (expected, plain_slopes) = (
            gradients(network, x, target) for network in (one, other)
        )
        assert distance(found, expected) < 1e-4
        assert max(map(distance, slopes, plain_slopes)) < 1e-3
    one.eval(), other.eval()
    # Scores are of images of other sizes.
    with torch.no_grad():
        y = torch.rand(1, 3, 41, 37, device=x.device)
        torch.testing.assert_close(one(y), other(y))
    for a, b in zip(one.buffers(), other.buffers(), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [TINY, BATCH_NORM], ids=lambda s: s["name"])
def test_compiled_passes_are_the_plain_ones(settings):
    quick, plain, x, target = twins(settings)
    accelerate(quick, *WORK, "always")
    assert all(p.grad is None for p in quick.parameters())
    assert_same(quick, plain, x, target)


@pytest.mark.parametrize("choice", ["auto", "never"])
def test_on_a_cpu_nothing_changes_unless_asked_for(choice, monkeypatch):
    monkeypatch.setattr(torch, "compile", None)
    network = build(TINY)
    accelerate(network, *WORK, choice)
    assert "forward" not in vars(network)


@pytest.fixture
def warned(caplog):
    """What was warned of; each time anew."""
    acceleration._say.cache_clear()
    with caplog.at_level(logging.WARNING, "mid"):
        yield lambda: [record.message for record in caplog.records]
    acceleration._say.cache_clear()


def broken(*inputs, **options):
    raise RuntimeError("none was found\nand much more")


# It fails when it is called, or when what it gave is.
@pytest.mark.parametrize("compiler", [broken, lambda *_, **__: broken])
@pytest.mark.parametrize("settings", [TINY, BATCH_NORM], ids=lambda s: s["name"])
def test_without_a_compiler_a_warning_says_so_once(
    settings, compiler, monkeypatch, warned
):
    monkeypatch.setattr(torch, "compile", compiler)
    for _ in range(2):
        network, plain, x, target = twins(settings)
        accelerate(network, *WORK, "always")
    assert warned() == [
        "torch.compile does not work here (none was found): going on without"
    ]
    assert_same(network, plain, x, target)


def test_without_graphs_a_warning_says_so_once(monkeypatch, warned):
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", broken)
    for _ in range(2):
        network, plain, x, target = twins(TINY)
        acceleration._record(network, x, "fp32")
    assert warned() == [
        "CUDA graphs do not work here (none was found): going on without"
    ]
    assert_same(network, plain, x, target)


@needs_gpu
def test_passes_whose_gradients_are_added_up_are_not_recorded(monkeypatch):
    monkeypatch.setattr(acceleration, "_record", None)
    accelerate(build(TINY).cuda(), *WORK, "auto", is_whole=False)


@needs_gpu
@pytest.mark.parametrize("choice", ["auto", "always"])
@pytest.mark.parametrize("settings", [TINY, BATCH_NORM], ids=lambda s: s["name"])
def test_recorded_passes_are_the_plain_ones(settings, choice):
    quick, plain, x, target = twins(settings, "cuda")
    accelerate(quick, *WORK, choice)
    assert all(p.grad is None for p in quick.parameters())
    assert_same(quick, plain, x, target)


@needs_gpu
def test_a_recorded_training_is_the_plain_one():
    y, x = torch.rand(2, 12, 2, 3, 24, 24)
    models = []
    for choice in ("auto", "never"):
        settings = Training(iterations=12, batch_size=2, patch_size=24, ema_decay=0.5)
        trainer = Trainer(
            build(TINY, seed=[1]), settings, torch.device("cuda"), compiled=choice
        )
        send = sender(trainer.device)
        for pair in zip(y, x, strict=True):
            trainer.step(*map(send, pair))
        trainer.sum_up()
        models.append([*trainer.model.parameters()])
        assert torch.isfinite(torch.tensor(trainer.history[0]["loss"]))
    for a, b in zip(*models, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


@needs_gpu
def test_what_is_sent_arrives_as_it_was():
    send = sender(torch.device("cuda"))
    part = torch.rand(3, 5, 7, 9).contiguous(memory_format=torch.channels_last)
    sent = send(part)
    assert sent.stride() == part.stride()
    torch.testing.assert_close(sent.cpu(), part, rtol=0, atol=0)
