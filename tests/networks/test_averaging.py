"""The running mean of the weights is PyTorch's own, number for number."""

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mid_core.networks import build
from mid_core.networks.averaging import RunningMean


def test_the_mean_is_that_of_pytorch_to_the_last_bit():
    settings = {"name": "dncnn", "width": 6, "depth": 4, "norm": "batch"}
    network = build(settings, 3, 0, seed=[0])
    own = RunningMean(network, 0.9)
    theirs = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    numbers = torch.Generator().manual_seed(0)
    for _ in range(5):
        with torch.no_grad():
            for weights in (*network.parameters(), *network.buffers()):
                if weights.is_floating_point():
                    weights += torch.randn(weights.shape, generator=numbers)
        own.update_parameters(network)
        theirs.update_parameters(network)
    expected = theirs.state_dict()
    found = own.state_dict()
    assert found.keys() == expected.keys()
    assert found["n_averaged"] == 5
    assert all(found[name].equal(value) for name, value in expected.items())


def test_a_mean_that_was_saved_goes_on_where_it_was():
    network = build({"name": "dncnn", "width": 4, "depth": 3}, 3, 0, seed=[0])
    first, second = RunningMean(network, 0.5), RunningMean(network, 0.5)
    first.update_parameters(network)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        for weights in network.parameters():
            weights += 1
    second.update_parameters(network)
    # Half of what was, half of what is one larger.
    for mean, weights in zip(
        second.module.parameters(), network.parameters(), strict=True
    ):
        assert torch.allclose(mean, weights - 0.5)
