"""What holds for every network, whatever is inside."""

import inspect

import numpy as np
import pytest
import torch

from mid_config.schema import fill_defaults, read_schema
from mid_core.checkpoints.model_file import load_model, save_model
from mid_core.ensemble import denoise
from mid_core.errors import MidError
from mid_core.masking import Masking
from mid_core.networks import NETWORKS, build, constructor
from mid_core.networks.blind_pair import BlindPair
from mid_core.trainer import Trainer, Training
from tests.conftest import CARD, stir
from tests.small_networks import MIDS, small

CPU = torch.device("cpu")
SMALL = {name: small(name) for name in NETWORKS}
SMALL["dncnn, norm"] = small("dncnn") | {"norm": "batch", "pixel_unshuffle": 1}
every_network = pytest.mark.parametrize("settings", SMALL.values(), ids=SMALL)
OF_MID = {name: one for name, one in SMALL.items() if one["name"] in MIDS}
# They have what a mask needs.
every_network_of_mid = pytest.mark.parametrize("settings", OF_MID.values(), ids=OF_MID)


def random(rng, *shape):
    return torch.tensor(rng.random(shape), dtype=torch.float32)


def used(network):
    """What an answer depends on: of a pair of teachers, the second is the denoiser."""
    named = network.named_parameters()
    return [
        one for one in named if not isinstance(network, BlindPair) or "local" in one[0]
    ]


def last_layer(network):
    return network.layers[-1] if hasattr(network, "layers") else network.ending


@every_network
@pytest.mark.parametrize(("channels", "extra"), [(3, 0), (1, 0), (1, 1), (3, 3)])
def test_any_size_comes_back(settings, channels, extra, rng):
    if extra and settings["name"] not in MIDS:
        return
    network = build(settings, channels, extra).eval()
    for height, width in [(13, 7), (1, 1), (16, 24)]:
        x = random(rng, 2, channels + extra, height, width)
        with torch.no_grad():
            assert network(x).shape == (2, channels, height, width)


@every_network_of_mid
@pytest.mark.parametrize("pixel_unshuffle", [1, 3])
def test_a_residual_network_corrects_its_input(settings, pixel_unshuffle, rng):
    network = build(
        {**settings, "pixel_unshuffle": pixel_unshuffle}, extra_channels=1
    ).eval()
    network.residual = True
    x = random(rng, 1, 4, 13, 7)
    with torch.no_grad():
        assert (network(x) != x[:, :3]).any()
        for parameter in last_layer(network).parameters():
            parameter.zero_()
        np.testing.assert_array_equal(network(x).numpy(), x[:, :3].numpy())
        network.residual = False
        assert not network(x).any()


@every_network
def test_gradients_reach_every_parameter(settings, rng):
    network = stir(build(settings, seed=[1]))
    (network(random(rng, 2, 3, 24, 20)) ** 2).mean().backward()
    for name, parameter in used(network):
        assert parameter.grad.abs().max() > 0, name


@every_network
def test_tiles_equal_the_whole_within_a_grey_level(settings, rng):
    network = stir(build(settings, seed=[1]))
    network.train()(random(rng, 4, 3, 16, 16))
    network.eval().set_patch_size(16)
    # Smaller ones overlap by less than the margin.
    tile = max(256, 4 * network.margin)
    # Uneven light, so that the statistics of tiles differ from those of the image.
    light = np.linspace(0.05, 1, tile + 147)[:, None, None]
    y = (light * rng.random((tile + 147, 131, 3))).astype(np.float32)
    whole, tiled = (
        denoise(network, y, Masking(0.3), [1], (2,), side)[0]
        for side in (2 * tile, tile)
    )
    assert abs(whole - y).mean() > 5 / 255
    assert abs(tiled - whole).max() < 1 / 255


@every_network
def test_a_model_is_kept_and_found_again(settings, rng, tmp_path):
    network = stir(build(settings, seed=[1]))
    network.train()(random(rng, 4, 3, 16, 16))
    card = CARD | {"network": settings}
    save_model(tmp_path / "model.safetensors", network, card)
    loaded, _ = load_model(tmp_path / "model.safetensors", CPU)
    network.eval().set_patch_size(16)
    x = random(rng, 1, 3, 51, 37)
    with torch.no_grad():
        torch.testing.assert_close(loaded(x), network(x), rtol=0, atol=0)


@every_network
def test_bf16_is_close_to_fp32(settings, rng):
    network = stir(build(settings, seed=[1]))
    x = random(rng, 2, 3, 24, 20)
    exact = network(x)
    with torch.autocast("cpu", torch.bfloat16):
        rough = network(x).float()
    # bf16 has 8 bits; the errors of some ten layers add up. Bayes' rule enlarges those
    # of a covariance that is small in some direction.
    limit = 0.1 if settings["name"] == "blind_gaussian" else 0.03
    assert (rough - exact).std() < limit * (exact - x).std()
    (rough**2).mean().backward()
    for name, parameter in used(network):
        assert parameter.grad.isfinite().all(), name


@every_network
def test_memory_format_changes_nothing_but_speed(settings, rng):
    network = build(settings).eval()
    x = random(rng, 2, 3, 13, 7)
    fast = x.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        torch.testing.assert_close(network(fast), network(x), rtol=1e-4, atol=1e-5)
    for parameter in network.parameters():
        if parameter.ndim == 4:
            assert parameter.is_contiguous(memory_format=torch.channels_last)


@every_network
def test_weights_depend_on_the_seed_alone(settings):
    before = torch.random.get_rng_state()
    a, b, c = (build(settings, seed=[seed, 1]).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)
    assert torch.equal(torch.random.get_rng_state(), before)


@every_network_of_mid
def test_training_lowers_the_loss(settings, rng):
    x = random(rng, 2, 3, 1, 1).expand(2, 3, 16, 16)
    noise = torch.tensor(rng.standard_normal((2, 3, 16, 16)), dtype=torch.float32)
    training = Training(40, 2, 16, learning_rate=3e-3, ema_decay=0)
    trainer = Trainer(build(settings, seed=[1]), training, CPU)
    for _ in range(40):
        trainer.step(x + 0.1 * noise, x)
    losses = trainer.recent_losses()
    assert np.mean(losses[-5:]) < losses[0] / 2


@every_network_of_mid
def test_a_centred_network_keeps_any_colour_it_is_given(settings, rng):
    settings = settings | {"centred": True}
    network = stir(build(settings, extra_channels=1)).eval()
    x = random(rng, 1, 4, 27, 38)
    colour = torch.tensor([0.3, -2.0, 0.05, 0.0]).view(1, 4, 1, 1)
    with torch.no_grad():
        before, after = network(x), network(x + colour)
    np.testing.assert_allclose(after, before + colour[:, :3], atol=1e-4)
    plain = build(settings | {"centred": False}, extra_channels=1)
    assert network.margin == plain.margin + 10


def test_an_unknown_network_is_refused():
    message = "'unett' is unknown; there are: nafnet, unet"
    with pytest.raises(MidError, match=message):
        build({"name": "unett"})


@pytest.mark.parametrize("name", NETWORKS)
def test_the_configs_keys_and_defaults_are_the_constructors(name):
    schema = read_schema()
    network = schema["$defs"]["network"]
    found = fill_defaults({"name": name}, network, schema)
    signature = inspect.signature(constructor(name)).parameters
    expected = {key: one.default for key, one in signature.items()} | {"name": name}
    del expected["channels"], expected["extra_channels"]
    assert found == {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in expected.items()
    }
