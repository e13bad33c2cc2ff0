"""NAFNet against its paper's formulas, written again in plain NumPy."""

import numpy as np
import pytest
import torch

from mid_core.errors import MidError
from mid_core.networks import build
from mid_core.networks.nafnet import NAFNet
from tests.conftest import stir
from tests.networks.plain import convolve, layer_norm, parameters, part, pixel_shuffle


def gate(x):
    half = x.shape[0] // 2
    return x[:half] * x[half:]


def block(x, p):
    z = layer_norm(x, p["norm1.weight"], p["norm1.bias"])
    z = convolve(z, p["conv1.weight"], p["conv1.bias"])
    z = convolve(z, p["conv2.weight"], p["conv2.bias"], groups=z.shape[0])
    z = gate(z)
    means = z.mean(axis=(1, 2), keepdims=True)
    z = z * convolve(means, p["sca.1.weight"], p["sca.1.bias"])
    y = x + convolve(z, p["conv3.weight"], p["conv3.bias"]) * p["beta"][0]
    z = layer_norm(y, p["norm2.weight"], p["norm2.bias"])
    z = gate(convolve(z, p["conv4.weight"], p["conv4.bias"]))
    return y + convolve(z, p["conv5.weight"], p["conv5.bias"]) * p["gamma"][0]


def nafnet(x, p):
    """One level, one block each; (3, H, W) of even size."""

    z = convolve(x, p["intro.weight"], p["intro.bias"])
    skip = block(z, part(p, "encoders.0.0."))
    z = convolve(skip, p["downs.0.weight"], p["downs.0.bias"], stride=2)
    z = block(z, part(p, "middle_blks.0."))
    z = pixel_shuffle(convolve(z, p["ups.0.0.weight"], None)) + skip
    z = block(z, part(p, "decoders.0.0."))
    return convolve(z, p["ending.weight"], p["ending.bias"]) + x


def test_forward_is_the_papers_formula(rng):
    network = stir(NAFNet(width=4, encoder=[1], middle=1, decoder=[1]))
    x = rng.random((3, 6, 10))
    with torch.no_grad():
        found = network(torch.tensor(x[None], dtype=torch.float32))[0].numpy()
    np.testing.assert_allclose(found, nafnet(x, parameters(network)), atol=2e-6)


def test_odd_sizes_are_padded_with_zeros_and_cut(rng):
    network = stir(NAFNet(width=4, encoder=[1], middle=1, decoder=[1]))
    x = rng.random((3, 5, 9))
    padded = np.pad(x, ((0, 0), (0, 1), (0, 1)))
    with torch.no_grad():
        found = network(torch.tensor(x[None], dtype=torch.float32))[0].numpy()
    expected = nafnet(padded, parameters(network))[:, :5, :9]
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_one_block_by_hand():
    # One pixel, two channels (3, 1): normalised to (1, -1) but for the 1e-6.
    # conv1 copies both twice: (1, -1, 1, -1); conv2's centre doubles: (2, -2, 2, -2);
    # the gate: (2*2, -2*-2) = (4, 4); attention with weight 0.5 I: (2, 2) -> (8, 8);
    # conv3 = identity, beta = 0.25: x + (2, 2) = (5, 3). gamma = 0.
    block_ = NAFNet(width=2, encoder=[1], middle=0, decoder=[0]).encoders[0][0]
    with torch.no_grad():
        for parameter in block_.parameters():
            parameter.zero_()
        block_.norm1.weight.fill_(1)
        block_.conv1.weight.copy_(torch.eye(2).repeat(2, 1)[..., None, None])
        block_.conv2.weight[:, 0, 1, 1] = 2
        block_.sca[1].weight.copy_(0.5 * torch.eye(2)[..., None, None])
        block_.conv3.weight.copy_(torch.eye(2)[..., None, None])
        block_.beta.fill_(0.25)
        found = block_(torch.tensor([3.0, 1.0]).reshape(1, 2, 1, 1)).flatten()
    np.testing.assert_allclose(found.numpy(), [5.0, 3.0], atol=1e-4)


@pytest.mark.parametrize(
    ("width", "millions"), [(16, 7.37), (32, 29.159715), (64, 115.98)]
)
def test_published_sizes(width, millions):
    with torch.device("meta"):
        network = NAFNet(width=width)
    found = sum(p.numel() for p in network.parameters()) / 1e6
    digits = len(str(millions).split(".")[1])
    assert round(found, digits) == millions


def test_published_parameter_names():
    # Names as in the published checkpoints, for one level with one block.
    inside = [
        *("beta", "gamma", "conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"),
        *("conv3.weight", "conv3.bias", "sca.1.weight", "sca.1.bias"),
        *("conv4.weight", "conv4.bias", "conv5.weight", "conv5.bias"),
        *("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"),
    ]
    blocks = ["encoders.0.0", "middle_blks.0", "decoders.0.0"]
    expected = {f"{block}.{name}" for block in blocks for name in inside}
    expected |= {"intro.weight", "intro.bias", "ending.weight", "ending.bias"}
    expected |= {"ups.0.0.weight", "downs.0.weight", "downs.0.bias"}
    network = NAFNet(width=4, encoder=[1], middle=1, decoder=[1])
    assert set(network.state_dict()) == expected


def test_folded_network_keeps_size_and_residual(rng):
    network = build(
        {
            "name": "nafnet",
            "width": 4,
            "encoder": [1],
            "middle": 1,
            "decoder": [1],
            "pixel_unshuffle": 2,
        }
    )
    with torch.no_grad():
        network.ending.weight.zero_()
        network.ending.bias.zero_()
        x = torch.tensor(rng.random((1, 3, 13, 7)), dtype=torch.float32)
        np.testing.assert_array_equal(network(x).numpy(), x.numpy())


def test_local_attention_is_the_global_one_where_all_is_alike(network):
    x = torch.full((1, 3, 50, 70), 0.3)
    with torch.no_grad():
        whole = network(x)
        network.set_patch_size(8)
        local = network(x)
    assert network.cell_px == 4
    # Away from the padded rim, means over any window are equal.
    inner = (..., slice(12, 34), slice(12, 54))
    np.testing.assert_allclose(local[inner].numpy(), whole[inner].numpy(), atol=2e-3)


def test_local_attention_sees_a_window_only(network, rng):
    network.set_patch_size(8)
    x = torch.tensor(rng.random((1, 3, 160, 32)), dtype=torch.float32)
    changed = x.clone()
    changed[..., 150:, :] = 0
    with torch.no_grad():
        difference = (network(x) - network(changed)).abs().amax(dim=(0, 1, 3))
    assert difference[150:].max() > 0.01
    assert difference[:60].max() == 0


def test_impossible_arguments_are_refused():
    with pytest.raises(MidError, match="equally many levels"):
        build({"name": "nafnet", "encoder": [1, 1], "decoder": [1]})
