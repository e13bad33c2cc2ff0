"""The shifted blind-spot U-Net and the plain ones: holes, sizes, published weights."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mid_core.errors import MidError
from mid_core.networks import build
from mid_core.networks.blind_pair import BlindPair
from mid_core.networks.published import network_of
from mid_core.networks.shifted_unet import ShiftedUNet, from_published, shift_of
from mid_core.networks.skip_unet import SkipUNet

ENDINGS = ("n2n", "b2u", "at_bsn", "tm_bsn")
# Offsets around a pixel that the tests look at.
AROUND = range(-8, 9)


def size(network, **settings):
    with torch.device("meta"):
        return sum(p.numel() for p in network(**settings).parameters())


def test_published_sizes():
    assert size(ShiftedUNet) == 1_268_547
    assert size(ShiftedUNet, width=16) == 142_275
    assert [size(SkipUNet, ending=ending) for ending in ENDINGS] == [
        1_083_747,
        1_102_371,
        1_003_011,
        1_021_107,
    ]
    assert size(BlindPair) == 1_268_547 + 94_939
    assert size(BlindPair, local_px=5) == 1_268_547 + 131_867


def unseen(hole, places, shape=(61, 75)):
    """Offsets whose gradient is zero, exactly, at all places and for all seeds."""
    total = torch.zeros(len(AROUND), len(AROUND), dtype=torch.float64)
    for seed in range(3):
        # In training, so that nothing is reflected.
        network = build({"name": "shifted_unet", "width": 3}, seed=[seed]).double()
        x = torch.rand(1, 3, *shape, dtype=torch.float64).requires_grad_()
        estimate = network(x, hole=hole)
        for row, column in places:
            one = estimate[0, :, row, column].sum()
            (gradient,) = torch.autograd.grad(one, x, retain_graph=True)
            gradient = gradient[0].abs().sum(dim=0)
            total += gradient[row - 8 : row + 9, column - 8 : column + 9]
    blind = (total == 0).nonzero() - 8
    return {(row, column) for row, column in blind.tolist()}


@pytest.mark.parametrize("hole", [1, 3, 5, 9])
def test_no_pixel_of_the_hole_is_seen(hole):
    found = unseen(hole, [(30, 31), (35, 40)])
    inside = range(-(hole // 2), hole // 2 + 1)
    assert {(r, c) for r in inside for c in inside} <= found
    k = hole // 2 + 1
    assert found.isdisjoint([(k, 0), (-k, 0), (0, k), (0, -k)])


def test_without_a_hole_the_pixel_itself_is_seen():
    assert (0, 0) not in unseen(0, [(30, 31)])


def test_one_trunk_serves_all_holes(rng):
    network = build({"name": "shifted_unet", "width": 3, "hole": 5}).eval()
    x = torch.tensor(rng.random((2, 3, 37, 50)), dtype=torch.float32)
    calls = []
    network.features.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        several = network.predictions(x, [0, 5, 11])
        assert len(calls) == 4
        for hole, one in zip([0, 5, 11], several, strict=True):
            torch.testing.assert_close(network(x, hole=hole), one, rtol=0, atol=0)
        torch.testing.assert_close(network(x), several[1], rtol=0, atol=0)
    assert (several[0] != several[1]).any()
    assert (several[1] != several[2]).any()


def test_a_turned_image_turns_the_order_of_the_sides(rng):
    network = build({"name": "shifted_unet", "width": 3}).double()
    x = torch.tensor(rng.random((1, 3, 32, 64)))
    with torch.no_grad():
        plain, turned = network.trunk(x), network.trunk(x.rot90(-1, (2, 3)))
    for side in range(4):
        torch.testing.assert_close(turned[side], plain[(side + 1) % 4])


def test_sides_at_once_or_one_after_another(rng):
    network = build({"name": "shifted_unet", "width": 3})
    x = torch.tensor(rng.random((2, 3, 64, 64)), dtype=torch.float32)
    calls = []
    network.features.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        at_once, several = network.train().trunk(x), network.eval().trunk(x)
    assert len(calls) == 1 + 4
    for one, other in zip(at_once, several, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["shifted_unet", "skip_unet", "blind_pair"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (33, 31)])
def test_any_size_comes_back(name, shape, rng):
    network = build({"name": name, "width": 3}, channels=1).eval()
    x = torch.tensor(rng.random((2, 1, *shape)), dtype=torch.float32)
    with torch.no_grad():
        assert network(x).shape == x.shape
        assert network(x).isfinite().all()


@pytest.mark.parametrize("settings", [{"ending": e} for e in ENDINGS] + [{"hole": 9}])
def test_the_margin_is_all_that_a_pixel_sees(settings, monkeypatch):
    # A maximum has a gradient at one of its pixels only.
    monkeypatch.setattr(F, "max_pool2d", F.avg_pool2d)
    name = "shifted_unet" if "hole" in settings else "skip_unet"
    network = build({"name": name, "width": 1, **settings}).double()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    x = torch.rand(1, 3, 704, 32, dtype=torch.float64).requires_grad_()
    estimate, reaches = network(x), []
    # Of a cell of the grid of 32 pixels, those that see furthest.
    for row in (320, 322, 349, 351):
        (gradient,) = torch.autograd.grad(
            estimate[0, :, row].sum(), x, retain_graph=True
        )
        seen = gradient.abs().amax(dim=(0, 1, 3)).nonzero().flatten()
        reaches += [row - int(seen.min()), int(seen.max()) - row]
    assert max(reaches) == network.margin


def test_an_image_goes_on_by_reflection(rng):
    network = build({"name": "skip_unet", "width": 3}).eval()
    x = rng.random((1, 3, 40, 49)).astype(np.float32)
    whole = np.pad(x, ((0, 0), (0, 0), (0, 24), (0, 15)), mode="reflect")
    with torch.no_grad():
        found = network(torch.tensor(x))
        expected = network(torch.tensor(whole))[..., :40, :49]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_a_mask_is_no_input_of_a_blind_network():
    with pytest.raises(MidError, match="no mask"):
        build({"name": "shifted_unet", "width": 3}, extra_channels=1)


def test_the_students_output_is_leaky(rng):
    network = build({"name": "skip_unet", "width": 3, "ending": "at_bsn"})
    with torch.no_grad():
        network.ending.weight.zero_()
        network.ending.bias.copy_(torch.tensor([-1.0, 0.0, 2.0]))
        found = network(torch.rand(1, 3, 32, 32))[0, :, 5, 7]
    np.testing.assert_allclose(found.numpy(), [-0.1, 0, 2], atol=1e-6)


def test_the_local_network_sees_its_square_only():
    network = build({"name": "blind_pair", "width": 1, "local_px": 5}).double()
    local = network.local
    for block in local.blocks:
        block.attention = torch.nn.Identity()
        block.attention.forward = torch.ones_like
    total = torch.zeros(15, 17, dtype=torch.float64)
    for _ in range(5):
        x = torch.rand(1, 3, 15, 17, dtype=torch.float64).requires_grad_()
        (gradient,) = torch.autograd.grad(local(x)[0, :, 7, 8].sum(), x)
        total += gradient[0].abs().sum(dim=0)
    rows, columns = total.nonzero().T
    assert sorted(set(rows.tolist())) == [5, 6, 7, 8, 9]
    assert sorted(set(columns.tolist())) == [6, 7, 8, 9, 10]
    assert len(rows) == 25


# The published layout, once more: by its own names, and by the paper's figure.


def published(width, outputs, above, rng):
    """A state as the authors save one, with random weights."""
    state = {}

    def add(name, inputs, features, side):
        scale = (2 / (inputs * side**2)) ** 0.5
        weight = rng.normal(0, scale, (features, inputs, side, side))
        state[f"{name}.weight"] = torch.tensor(weight)
        state[f"{name}.bias"] = torch.tensor(rng.normal(0, 20, features))

    add("unet.intro.conv", 3, width, 3)
    for level in range(1, 7):
        add(f"unet.enc{level}.conv1.conv", width, width, 3)
    for level, inputs in zip((5, 4, 3, 2), (2 * width, *[3 * width] * 3), strict=True):
        add(f"unet.dec{level}.conv1.conv", inputs, 2 * width, 3)
        add(f"unet.dec{level}.conv2.conv", 2 * width, 2 * width, 3)
    add("unet.dec1.conv1.conv", 2 * width + 3, 2 * width, 3)
    add("unet.dec1.conv2.conv", 2 * width, outputs, 3)
    if above:
        add("nin_A", 8 * width, 8 * width, 1)
        add("nin_B", 8 * width, 2 * width, 1)
        add("nin_C", 2 * width, 3, 1)
    return state


def published_unet(p, image, above):
    def leaky(x):
        return torch.where(x > 0, x, 0.1 * x)

    def down(x):
        return torch.cat([torch.zeros_like(x[:, :, :1]), x[:, :, :-1]], dim=2)

    def conv(x, name):
        weight, bias = p[f"unet.{name}.conv.weight"], p[f"unet.{name}.conv.bias"]
        if not above:
            return leaky(F.conv2d(x, weight, bias, padding=1))
        # One row lower, and as many rows as before: no row below is seen.
        x = torch.cat([torch.zeros_like(x[:, :, :1]), x], dim=2)
        return leaky(F.conv2d(x, weight, bias, padding=1)[:, :, :-1])

    def pool(x):
        x = down(x) if above else x
        n, c, height, width = x.shape
        return x.reshape(n, c, height // 2, 2, width // 2, 2).amax(dim=(3, 5))

    levels = [image]
    x = conv(image, "intro")
    for level in range(1, 6):
        x = pool(conv(x, f"enc{level}.conv1"))
        levels.append(x)
    x = conv(x, "enc6.conv1")
    for level in range(5, 0, -1):
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        x = torch.cat([x, levels[level - 1]], dim=1)
        x = conv(conv(x, f"dec{level}.conv1"), f"dec{level}.conv2")
    return x


def published_teacher(p, x, hole):
    there = [
        lambda x: x,
        lambda x: x.transpose(2, 3).flip(3),
        lambda x: x.flip(2, 3),
        lambda x: x.transpose(2, 3).flip(2),
    ]
    back = [there[0], there[3], there[2], there[1]]
    sides, rows = [], (hole + 1) // 2
    for turn, turn_back in zip(there, back, strict=True):
        z = published_unet(p, turn(x), above=True)
        top = torch.zeros_like(z[:, :, :rows])
        sides.append(turn_back(torch.cat([top, z[:, :, : z.shape[2] - rows]], dim=2)))
    z = torch.cat(sides, dim=1)
    for name in ("nin_A", "nin_B", "nin_C"):
        z = F.conv2d(z, p[f"{name}.weight"], p[f"{name}.bias"])
        z = z if name == "nin_C" else torch.where(z > 0, z, 0.1 * z)
    return z


@pytest.mark.parametrize("hole", [0, 1, 3, 9])
def test_the_published_teacher(hole, rng):
    state = published(4, 8, True, rng)
    x = torch.tensor(rng.random((1, 3, 64, 32)))
    network = build({"name": "shifted_unet", "width": 4, "hole": hole}).double()
    network.load_state_dict(from_published(state))
    with torch.no_grad():
        found = network(x)
    expected = published_teacher(state, 255 * x, hole) / 255
    assert expected.std() > 0.01
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_the_published_student_and_its_teacher(rng):
    teacher, student = published(4, 8, True, rng), published(4, 3, False, rng)
    both = {f"module.bsn.{name}": value for name, value in teacher.items()}
    both |= {f"module.nbsn.{name}": value for name, value in student.items()}
    x = torch.tensor(rng.random((1, 3, 32, 64)))
    network = build({"name": "skip_unet", "width": 4, "ending": "at_bsn"}).double()
    network.load_state_dict(from_published(both, "nbsn"))
    with torch.no_grad():
        found = network(x)
    expected = published_unet(student, 255 * x, above=False) / 255
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    ours = from_published(both)
    for name, value in from_published(teacher).items():
        torch.testing.assert_close(ours[name], value, rtol=0, atol=0)


def test_a_published_file_is_known_by_its_weights(tmp_path, rng):
    teacher, student = published(48, 96, True, rng), published(48, 3, False, rng)
    both = {f"module.bsn.{name}": value for name, value in teacher.items()}
    both |= {f"module.nbsn.{name}": value for name, value in student.items()}
    for state, name in ((teacher, "shifted_unet"), (both, "skip_unet")):
        torch.save({"state_dict": state}, tmp_path / "at_bsn.pth")
        network, facts = network_of(tmp_path / "at_bsn.pth")
        assert facts["network"]["name"] == name
        assert facts["channels"] == network.channels == 3
    weight = network.state_dict()["ending.weight"]
    expected = student["unet.dec1.conv2.conv.weight"].float()
    torch.testing.assert_close(weight, expected, rtol=0, atol=0)


def test_the_shift_of_a_hole():
    assert [shift_of(hole) for hole in (0, 1, 3, 5, 7, 9, 11)] == list(range(7))


def test_other_weights_are_not_taken_for_the_published(rng):
    state = published(4, 8, True, rng)
    with pytest.raises(MidError, match=r"body\.0\.weight"):
        from_published(state | {"body.0.weight": torch.zeros(1)})
    del state["unet.enc3.conv1.conv.bias"]
    with pytest.raises(MidError, match="enc3"):
        from_published(state)
