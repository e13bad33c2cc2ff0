"""Weights that others published: reading them, NAFNet's, and those of spandrel."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from mid_core.checkpoints.model_file import load_model, save_model
from mid_core.errors import MidError
from mid_core.networks.nafnet import NAFNet
from mid_core.networks.nafnet_published import from_published, is_nafnet
from mid_core.networks.published import (
    Published,
    from_weights,
    network_of,
    read_published,
)

ENCODER, MIDDLE, DECODER, WIDTH = [1, 2], 1, [2, 1], 6


def published_nafnet(channels=3):
    """Random weights by the names and shapes of the authors' files."""
    generator = torch.Generator().manual_seed(3)
    shapes = {}

    def conv(name, outputs, inputs, side, bias=True):
        shapes[f"{name}.weight"] = (outputs, inputs, side, side)
        if bias:
            shapes[f"{name}.bias"] = (outputs,)

    def block(name, c):
        shapes[f"{name}.beta"] = shapes[f"{name}.gamma"] = (1, c, 1, 1)
        for norm in ("norm1", "norm2"):
            shapes[f"{name}.{norm}.weight"] = shapes[f"{name}.{norm}.bias"] = (c,)
        conv(f"{name}.conv1", 2 * c, c, 1)
        conv(f"{name}.conv2", 2 * c, 1, 3)
        conv(f"{name}.conv3", c, c, 1)
        conv(f"{name}.sca.1", c, c, 1)
        conv(f"{name}.conv4", 2 * c, c, 1)
        conv(f"{name}.conv5", c, c, 1)

    c = WIDTH
    conv("intro", c, channels, 3)
    conv("ending", channels, c, 3)
    for level, count in enumerate(ENCODER):
        for i in range(count):
            block(f"encoders.{level}.{i}", c)
        conv(f"downs.{level}", 2 * c, c, 2)
        c *= 2
    for i in range(MIDDLE):
        block(f"middle_blks.{i}", c)
    for level, count in enumerate(DECODER):
        conv(f"ups.{level}.0", 2 * c, c, 1, bias=False)
        c //= 2
        for i in range(count):
            block(f"decoders.{level}.{i}", c)
    draw = {k: torch.randn(s, generator=generator) for k, s in shapes.items()}
    return {
        k: 0.3 * v + k.endswith(("norm1.weight", "norm2.weight"))
        for k, v in draw.items()
    }


def plain_nafnet(w, x):
    """The authors' network by its formulas, in float64; (1, C, H, W)."""
    w = {name: one.double() for name, one in w.items()}

    def conv(name, z, **how):
        return F.conv2d(z, w[f"{name}.weight"], w.get(f"{name}.bias"), **how)

    def norm(name, z):
        centred = z - z.mean(1, keepdim=True)
        z = centred / (centred.square().mean(1, keepdim=True) + 1e-6).sqrt()
        return z * w[f"{name}.weight"].view(-1, 1, 1) + w[f"{name}.bias"].view(-1, 1, 1)

    def gate(z):
        half = z.shape[1] // 2
        return z[:, :half] * z[:, half:]

    def block(name, z):
        a = conv(f"{name}.conv1", norm(f"{name}.norm1", z))
        a = gate(conv(f"{name}.conv2", a, padding=1, groups=a.shape[1]))
        a = a * conv(f"{name}.sca.1", a.mean((2, 3), keepdim=True))
        z = z + conv(f"{name}.conv3", a) * w[f"{name}.beta"]
        b = gate(conv(f"{name}.conv4", norm(f"{name}.norm2", z)))
        return z + conv(f"{name}.conv5", b) * w[f"{name}.gamma"]

    height, width = x.shape[2:]
    whole = x.new_zeros(1, x.shape[1], -(-height // 4) * 4, -(-width // 4) * 4)
    whole[..., :height, :width] = x
    z, skips = conv("intro", whole, padding=1), []
    for level, count in enumerate(ENCODER):
        for i in range(count):
            z = block(f"encoders.{level}.{i}", z)
        skips.append(z)
        z = conv(f"downs.{level}", z, stride=2)
    for i in range(MIDDLE):
        z = block(f"middle_blks.{i}", z)
    for level, count in enumerate(DECODER):
        z = F.pixel_shuffle(conv(f"ups.{level}.0", z), 2) + skips.pop()
        for i in range(count):
            z = block(f"decoders.{level}.{i}", z)
    return (conv("ending", z, padding=1) + whole)[..., :height, :width]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_published_nafnet_gives_what_its_authors_network_gives(rng, channels):
    weights = published_nafnet(channels)
    network, _ = from_weights(weights)
    x = torch.tensor(rng.random((1, channels, 21, 30)))
    with torch.inference_mode():
        found = network(x.float()).double()
    expected = plain_nafnet(weights, x)
    # Each part has an effect.
    assert (expected - x).abs().mean() > 0.1
    scale = max(1, float(expected.abs().max()))
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-5)


def test_a_file_becomes_a_model_of_ours(tmp_path, rng):
    weights = published_nafnet()
    torch.save({"params": weights}, tmp_path / "theirs.pth")
    network, facts = network_of(tmp_path / "theirs.pth")
    assert facts["source"]["file"] == "theirs.pth"
    facts |= {"masking": {"mask_ratio": 0}}
    save_model(tmp_path / "model.safetensors", network, facts)
    again, _ = load_model(tmp_path / "model.safetensors", torch.device("cpu"))
    x = torch.tensor(rng.random((1, 3, 21, 30)), dtype=torch.float32)
    with torch.inference_mode():
        torch.testing.assert_close(again(x), from_weights(weights)[0](x))


def test_settings_are_seen_in_the_shapes():
    settings, own = from_published(
        {k: v.half() for k, v in published_nafnet(1).items()}
    )
    assert (settings["channels"], settings["width"]) == (1, WIDTH)
    assert (settings["encoder"], settings["decoder"]) == (ENCODER, DECODER)
    assert settings["middle"] == MIDDLE
    assert {one.dtype for one in own.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("encoder", "middle", "decoder"),
    # As published for SIDD and for GoPro; and with levels that have no blocks.
    [
        ([2, 2, 4, 8], 12, [2, 2, 2, 2]),
        ([1, 1, 1, 28], 1, [1, 1, 1, 1]),
        ([0, 1], 0, [0, 0]),
    ],
)
def test_blocks_are_counted(encoder, middle, decoder):
    with torch.device("meta"):
        network = NAFNet(width=32, encoder=encoder, middle=middle, decoder=decoder)
        settings, _ = from_published(network.state_dict())
    found = [settings[name] for name in ("encoder", "middle", "decoder")]
    assert found == [encoder, middle, decoder]


def test_what_is_no_plain_nafnet_is_refused():
    weights = published_nafnet()
    assert is_nafnet(weights)
    with pytest.raises(MidError, match=r"no intro\.weight"):
        from_published({k: v for k, v in weights.items() if k != "intro.weight"})
    with pytest.raises(MidError, match=r"1 differ, intro\.bias is absent, expected \["):
        from_published({k: v for k, v in weights.items() if k != "intro.bias"})
    with pytest.raises(MidError, match=r"expected absent"):
        from_published(weights | {"decoders.0.0.se.1.bias": torch.zeros(3)})
    with pytest.raises(MidError, match="blocks are missing"):
        from_published(weights | {"middle_blks.987654321.beta": torch.zeros(3)})


WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}
PREFIXED = {f"module.{name}": one for name, one in WEIGHTS.items()}
OTHERS = {name: one + 1 for name, one in WEIGHTS.items()}


@pytest.mark.parametrize(
    ("content", "under"),
    [
        (WEIGHTS, ""),
        ({"params": WEIGHTS}, "params"),
        ({"params": OTHERS, "params_ema": WEIGHTS}, "params_ema"),
        ({"state_dict": PREFIXED, "epoch": 7, "optimizer": {"lr": 0.1}}, "state_dict"),
    ],
)
def test_weights_are_found_where_files_keep_them(tmp_path, content, under):
    torch.save(content, tmp_path / "a.pth")
    weights, facts = read_published(tmp_path / "a.pth")
    assert list(weights) == list(WEIGHTS)
    assert all(torch.equal(weights[name], WEIGHTS[name]) for name in WEIGHTS)
    assert (facts["file"], facts["under"]) == ("a.pth", under)


def test_safetensors_are_read_and_hashed(tmp_path):
    save_file(PREFIXED, tmp_path / "a.safetensors")
    weights, facts = read_published(tmp_path / "a.safetensors")
    assert torch.equal(weights["a.weight"], WEIGHTS["a.weight"])
    (tmp_path / "a.safetensors").rename(tmp_path / "b.safetensors")
    again = read_published(tmp_path / "b.safetensors")[1]
    assert again["sha256"] == facts["sha256"]
    assert len(facts["sha256"]) == 64


class Nasty:
    ran = False

    def __reduce__(self):
        return setattr, (Nasty, "ran", True)


def test_nothing_in_a_file_is_executed(tmp_path):
    torch.save({"params": Nasty()}, tmp_path / "torch.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Nasty()))
    for name in ("torch.pth", "plain.pth"):
        with pytest.raises(MidError, match="nothing of it was executed"):
            read_published(tmp_path / name)
    assert not Nasty.ran
    # The same bytes do run where nobody looks out.
    pickle.loads((tmp_path / "plain.pth").read_bytes())
    assert Nasty.ran


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"not a file of weights"])
def test_other_files_are_refused(tmp_path, suffix, content):
    (tmp_path / f"a.{suffix}").write_bytes(content)
    with pytest.raises(MidError, match="not a file of weights alone"):
        read_published(tmp_path / f"a.{suffix}")


def test_what_is_besides_weights_is_named(tmp_path):
    path = tmp_path / "a.pth"
    with pytest.raises(MidError, match="there is no file of weights"):
        read_published(path)
    torch.save(WEIGHTS | {"epoch": 3}, path)
    with pytest.raises(MidError, match="besides weights epoch: save its state dict"):
        read_published(path)
    torch.save({}, path)
    with pytest.raises(MidError, match="holds nothing"):
        read_published(path)
    torch.save(torch.zeros(3), path)
    with pytest.raises(MidError, match="besides weights one without a name"):
        read_published(path)
    torch.save({"epoch": np.float64(3)}, path)
    with pytest.raises(MidError, match=r"asks for numpy\S*scalar"):
        read_published(path)


class Unsupported(Exception):
    pass


def fake_spandrel(monkeypatch, **facts):
    """A package that builds a convolution of whatever weights, as spandrel would."""

    class Descriptor(SimpleNamespace):
        def __call__(self, image):
            assert len(image) == 1
            return self.model(image).clamp(0, 1)

    class ModelLoader:
        def load_from_state_dict(self, weights):
            if "weight" not in weights:
                raise Unsupported
            model = nn.Conv2d(3, 3, 3, padding=1)
            model.load_state_dict(weights)
            known = {
                "architecture": SimpleNamespace(name="Conv"),
                "input_channels": 3,
                "output_channels": 3,
                "purpose": "Restoration",
                "scale": 1,
                "size_requirements": SimpleNamespace(multiple_of=48),
            }
            return Descriptor(model=model, **known | facts)

    package = SimpleNamespace(
        ModelLoader=ModelLoader, UnsupportedModelError=Unsupported, __version__="9"
    )
    monkeypatch.setitem(sys.modules, "spandrel", package)


CONV = nn.Conv2d(3, 3, 3, padding=1).requires_grad_(False)


def test_a_network_of_spandrel_is_a_denoiser(monkeypatch, rng):
    fake_spandrel(monkeypatch)
    network, settings = from_weights(CONV.state_dict())
    assert settings == {"name": "published", "architecture": "Conv"}
    x = torch.tensor(rng.random((2, 3, 17, 26)), dtype=torch.float32)
    torch.testing.assert_close(network(x), CONV(x).clamp(0, 1))
    assert (network.channels, network.architecture) == (3, "Conv")
    # The least common multiple of 64 and what the network needs.
    assert (network.margin, network.alignment) == (64, 192)
    assert not network.training
    assert [tuple(p.shape) for p in network.parameters()] == [(3, 3, 3, 3), (3,)]
    network.set_patch_size(16)
    assert network.alignment == 192
    torch.testing.assert_close(Published(network.state_dict())(x), network(x))


def test_what_spandrel_cannot_do_is_said(monkeypatch):
    weights = CONV.state_dict()
    fake_spandrel(monkeypatch)
    with pytest.raises(MidError, match=r"spandrel 9 knows no network .* a\.weight"):
        Published(WEIGHTS)
    with pytest.raises(MidError, match=r"cannot build the network .*Missing"):
        Published({"weight": weights["weight"]})
    for facts in ({"scale": 4}, {"purpose": "Inpainting"}):
        fake_spandrel(monkeypatch, **facts)
        with pytest.raises(MidError, match="Conv, which is no denoiser"):
            Published(weights)
    fake_spandrel(monkeypatch, output_channels=1)
    with pytest.raises(MidError, match="maps 3 colours to 1"):
        Published(weights)
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(MidError, match=r"pip install 'mid-denoise\[spandrel\]'"):
        Published(weights)


def test_a_torchvision_of_another_torch_is_said(monkeypatch, tmp_path):
    (tmp_path / "spandrel.py").write_text("raise RuntimeError('no torchvision::nms')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "spandrel", raising=False)
    with pytest.raises(MidError, match=r"\(no torchvision::nms\): install the torchv"):
        Published(CONV.state_dict())


def test_spandrel_itself_agrees_about_nafnet(rng):
    try:
        import spandrel  # noqa: F401
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"the package spandrel is optional, and not here: {error}")
    weights = published_nafnet()
    x = torch.tensor(rng.random((1, 3, 21, 30)), dtype=torch.float32)
    with torch.inference_mode():
        found, expected = Published(weights), from_weights(weights)[0](x)
        torch.testing.assert_close(found(x), expected.clamp(0, 1), atol=1e-4, rtol=0)
        scale = expected.abs().max()
        found = found.network(x) / scale
    np.testing.assert_allclose(found.numpy(), (expected / scale).numpy(), atol=1e-5)
