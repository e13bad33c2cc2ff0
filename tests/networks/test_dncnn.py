"""DnCNN: its paper's layers, its size, and its statistics at rest."""

import numpy as np
import pytest
import torch

from mid_core.errors import MidError
from mid_core.networks import build
from mid_core.networks.dncnn import DnCNN
from tests.networks.plain import convolve, parameters


def dncnn(x, p):
    """Four layers with batch normalisation by the running statistics."""
    z = np.maximum(convolve(x, p["layers.0.weight"], p["layers.0.bias"]), 0)
    for i in (2, 5):
        z = convolve(z, p[f"layers.{i}.weight"], None)
        name = f"layers.{i + 1}."
        mean, variance = p[name + "running_mean"], p[name + "running_var"]
        z = (z - mean[:, None, None]) / np.sqrt(variance + 1e-5)[:, None, None]
        z = z * p[name + "weight"][:, None, None] + p[name + "bias"][:, None, None]
        z = np.maximum(z, 0)
    return convolve(z, p["layers.8.weight"], p["layers.8.bias"]) + x


def test_forward_is_the_papers_formula(rng):
    network = DnCNN(width=4, depth=4, norm="batch")
    batch = torch.tensor(rng.random((3, 3, 9, 7)), dtype=torch.float32)
    network.train()(batch)
    x = rng.random((3, 5, 7))
    with torch.no_grad():
        found = network.eval()(torch.tensor(x[None], dtype=torch.float32))[0]
    np.testing.assert_allclose(found.numpy(), dncnn(x, parameters(network)), atol=1e-5)


def test_without_normalisation_it_is_a_row_of_convolutions(rng):
    network = DnCNN(width=4, depth=3)
    p, x = parameters(network), rng.random((3, 5, 7))
    z = x
    for i in (0, 2):
        z = np.maximum(convolve(z, p[f"layers.{i}.weight"], p[f"layers.{i}.bias"]), 0)
    expected = convolve(z, p["layers.4.weight"], p["layers.4.bias"]) + x
    with torch.no_grad():
        found = network(torch.tensor(x[None], dtype=torch.float32))[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("depth", "norm", "count", "millions"),
    # 3x3 weights; biases of the first and the last layer; two numbers a feature.
    [
        (17, "batch", 2 * 9 * 3 * 64 + 15 * (9 * 64 * 64 + 2 * 64) + 64 + 3, 0.56),
        (20, "batch", 2 * 9 * 3 * 64 + 18 * (9 * 64 * 64 + 2 * 64) + 64 + 3, 0.67),
        (17, "none", 2 * 9 * 3 * 64 + 15 * (9 * 64 * 64 + 64) + 64 + 3, 0.56),
    ],
)
def test_published_sizes(depth, norm, count, millions):
    network = DnCNN(depth=depth, norm=norm)
    found = sum(p.numel() for p in network.parameters())
    assert found == count
    assert round(found / 1e6, 2) == millions


def test_a_prediction_leaves_the_statistics_alone(rng):
    network = build({"name": "dncnn", "width": 4, "depth": 4, "norm": "batch"}).eval()
    before = {name: w.clone() for name, w in network.state_dict().items()}
    x = torch.tensor(rng.random((2, 3, 9, 7)), dtype=torch.float32)
    with torch.no_grad():
        both = network(x)
        # Nor does one image of a batch depend on the other.
        torch.testing.assert_close(both[:1], network(x[:1]))
    for name, w in network.state_dict().items():
        assert torch.equal(w, before[name])


def test_an_unknown_norm_is_refused():
    with pytest.raises(
        MidError, match="norm 'layer' is unknown; there are: none, batch"
    ):
        build({"name": "dncnn", "norm": "layer"})
