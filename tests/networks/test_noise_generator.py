"""C2N's generator and critic: their size, and what its noise depends on."""

from functools import partial

import pytest
import torch

from mid_core.networks import build
from mid_core.networks.noise_generator import NoiseCritic, NoiseGenerator, _Pipes

SMALL = {
    "name": "noise_generator",
    "width": 6,
    "blocks": 1,
    "independent": 1,
    "dependent": 1,
    "latent": 3,
}


def draws(seed):
    """Functions that draw for one image."""
    rng = torch.Generator().manual_seed(seed)
    kinds = torch.randn, torch.rand
    return [partial(_drawn, kind, rng) for kind in kinds]


def _drawn(kind, rng, *shape):
    return kind(1, *shape, generator=rng)


def noise(network, x, seed=0):
    with torch.no_grad():
        return network.noisy(x, *draws(seed)) - x


def test_published_sizes():
    with torch.device("meta"):
        networks = NoiseGenerator(), NoiseCritic(3)
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert sizes == [2_154_068, 445_512]


def test_noise_depends_on_what_is_drawn_and_on_the_image():
    network, x = build(SMALL), torch.full((1, 3, 17, 23), 0.3)
    first = noise(network, x)
    assert first.shape == x.shape
    assert torch.equal(first, noise(network, x))
    assert not torch.equal(first, noise(network, x, seed=1))
    brighter = noise(network, x + 0.5)
    assert not torch.equal(first, brighter)
    with torch.no_grad():
        # What is left does not depend on the image.
        for part in (network.dependent.pixelwise, network.dependent.correlated):
            part.register_forward_hook(lambda _, inputs, output: 0 * output)
    torch.testing.assert_close(
        noise(network, x), noise(network, x + 0.5), atol=1e-6, rtol=0
    )


def test_its_noise_is_of_another_kind_for_each_image():
    # Larger weights: the latent numbers have to matter.
    network, x = build(SMALL), torch.full((1, 3, 40, 40), 0.5)
    with torch.no_grad():
        network.merge[0].weight *= 5
    levels = [noise(network, x, seed).std().item() for seed in range(6)]
    assert max(levels) > 1.05 * min(levels)


@pytest.mark.parametrize(("pipe", "reach"), [("pixelwise", 0), ("correlated", 4)])
def test_one_pipe_is_independent_from_pixel_to_pixel_and_one_is_not(pipe, reach):
    part = getattr(_Pipes(6, 2), pipe)
    z = torch.rand(1, 6, 15, 17).requires_grad_()
    (gradient,) = torch.autograd.grad(part(z)[0, :, 7, 8].sum(), z)
    rows, columns = gradient.abs().sum(dim=(0, 1)).nonzero().T.tolist()
    # Two blocks of two convolutions each.
    assert (min(rows), max(rows)) == (7 - reach, 7 + reach)
    assert (min(columns), max(columns)) == (8 - reach, 8 + reach)


def test_called_as_a_network_nothing_is_random():
    network, x = build(SMALL).eval(), torch.rand(2, 3, 9, 7)

    def zero(*shape):
        return torch.zeros(2, *shape)

    with torch.no_grad():
        found = network(x)
        expected = network.noisy(x, zero, lambda *shape: zero(*shape) + 0.5)
    torch.testing.assert_close(found, expected)
    assert (found != x).any()


def test_a_critic_of_details_does_not_see_brightness():
    x = torch.rand(1, 3, 40, 41)
    light = 0.3 + torch.zeros(1, 3, 1, 1)
    for detail in (False, True):
        critic = NoiseCritic(3, 4, 1, detail=detail)
        with torch.no_grad():
            change = (critic(x + light) - critic(x)).abs().max()
        assert (change < 1e-5) == detail


def test_a_mask_is_no_input():
    with pytest.raises(ValueError, match="no mask"):
        NoiseGenerator(extra_channels=1)
