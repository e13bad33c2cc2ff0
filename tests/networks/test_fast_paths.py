"""The fast ways compute what the plain ones do, gradients too."""

import logging
from unittest.mock import Mock

import pytest
import torch

from benchmarks.nafnet_step import plain, stirred
from mid_core.networks import build
from mid_core.runtime import precision as arithmetic
from mid_core.runtime.precision import autocast
from tests.conftest import TINY

CPU = torch.device("cpu")


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference, as a share of the largest value."""
    return ((found - expected).abs().max() / expected.abs().max()).item()


def gradients(network, x, target, precision="fp32"):
    """Output of a pass, and the gradients that its squared error leaves."""
    network.zero_grad()
    with autocast(CPU, precision):
        output = network(x).float()
    (output - target).square().mean().backward()
    return output.detach(), [p.grad.clone() for p in network.parameters()]


@pytest.fixture
def both():
    """Our network with its channels last, and the plain one; and a batch for each."""
    torch.manual_seed(3)
    ours = stirred(build(TINY))
    x, target = torch.rand(2, 2, 3, 23, 18)
    fast = x.contiguous(memory_format=torch.channels_last)
    return (ours, fast), (plain(TINY, ours), x), target


def test_the_network_is_the_plain_one(both):
    ours, reference, target = both
    found, slopes = gradients(*ours, target)
    expected, plain_slopes = gradients(*reference, target)
    assert distance(found, expected) < 1e-5
    assert max(map(distance, slopes, plain_slopes)) < 1e-4


def test_bf16_is_the_plain_one_within_its_eight_bits(both):
    ours, reference, target = both
    found, slopes = gradients(*ours, target, "bf16")
    expected, plain_slopes = gradients(*reference, target)
    # Half a unit of the last of 8 bits is 0.002; errors of a few layers add up.
    assert 0 < distance(found, expected) < 0.02
    whole, plain_whole = (
        torch.cat([g.flatten() for g in s]) for s in (slopes, plain_slopes)
    )
    assert torch.cosine_similarity(whole, plain_whole, dim=0) > 0.999


def test_the_fused_optimiser_is_the_plain_one(both):
    networks = [network for network, _ in both[:2]]
    for network, fused in zip(networks, (True, False), strict=True):
        optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=fused)
        generator = torch.Generator().manual_seed(5)
        for _ in range(3):
            for parameter in network.parameters():
                slope = torch.randn(parameter.shape, generator=generator)
                # In the order of memory that autograd gives it: the parameter's.
                parameter.grad = torch.empty_like(parameter).copy_(slope)
            optimizer.step()
    for a, b in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_a_gpu_without_bf16_says_so_once_and_goes_on(monkeypatch, caplog):
    found = {"is_bf16_supported.return_value": False}
    monkeypatch.setattr(arithmetic.torch, "cuda", Mock(**found))
    arithmetic._has_bf16.cache_clear()
    with caplog.at_level(logging.WARNING, "mid"):
        for _ in range(3):
            with autocast(torch.device("cuda"), "bf16"):
                assert not torch.is_autocast_enabled("cuda")
    arithmetic._has_bf16.cache_clear()
    assert [record.message for record in caplog.records] == [
        "this GPU has no bf16 arithmetic: fp32 is used, which is slower"
    ]
