"""TM-BSN: the diamond of its hole, its published layout, and its trainings."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mid_config import registry
from mid_core.errors import MidError
from mid_core.methods import stage_of, tm_bsn, tm_bsn_distilled
from mid_core.networks import build
from mid_core.networks.blind_spot import AROUND
from mid_core.networks.published import from_weights
from mid_core.networks.triangular import from_published
from mid_core.trainer import Trainer, Training
from tests.conftest import Pool

CPU = torch.device("cpu")
SMALL = {"name": "triangular", "width": 4, "groups": 2, "blocks": 2}


def stages(method):
    return registry.method(method.__name__.rpartition(".")[2])["stages"]


def size(settings):
    with torch.device("meta"):
        return sum(p.numel() for p in build(settings).parameters())


def unseen(hole, row, column, radius=7):
    """Offsets, at most ``radius`` in row and column, without any gradient."""
    total = torch.zeros(41, 45, dtype=torch.float64)
    for seed in range(3):
        network = build(SMALL, seed=[seed]).double()
        x = np.random.default_rng(seed).random((1, 3, 41, 45))
        x = torch.tensor(x, requires_grad=True)
        estimate = network(x, hole=hole)[0, :, row, column].sum()
        (gradient,) = torch.autograd.grad(estimate, x)
        total += gradient[0].abs().sum(dim=0)
    window = total[row - radius :, column - radius :][
        : 2 * radius + 1, : 2 * radius + 1
    ]
    rows, columns = (window == 0).nonzero().T.tolist()
    return {(r - radius, c - radius) for r, c in zip(rows, columns, strict=True)}


@pytest.mark.parametrize(("hole", "pixels"), [(0, 0), (1, 1), (2, 5), (4, 25), (5, 41)])
def test_the_hole_is_exactly_the_diamond(hole, pixels):
    reach = range(-7, 8)
    diamond = {(r, c) for r in reach for c in reach if abs(r) + abs(c) < hole}
    assert len(diamond) == pixels
    for place in [(20, 22), (19, 23)]:
        assert unseen(hole, *place) == diamond


def test_published_sizes():
    assert size(stages(tm_bsn)["teacher"]["network"]) == 1_350_339
    assert size(SMALL | {"width": 16}) == 46_707
    assert size(stages(tm_bsn_distilled)["student"]["network"]) == 1_021_107


@pytest.mark.parametrize("shape", [(13, 7), (1, 1), (3, 50)])
def test_one_trunk_serves_all_holes(shape, rng):
    network = build(SMALL | {"hole": 2}).eval()
    x = torch.tensor(rng.random((2, 3, *shape)), dtype=torch.float32)
    with torch.no_grad():
        several = network.predictions(x, [2, 6])
        for hole, one in zip([2, 6], several, strict=True):
            assert one.shape == x.shape
            torch.testing.assert_close(network(x, hole=hole), one, rtol=0, atol=0)
        torch.testing.assert_close(network(x), several[0], rtol=0, atol=0)


def test_the_margin_is_all_that_a_pixel_sees(rng):
    network = build(SMALL | {"groups": 1, "blocks": 1, "hole": 2}).double().eval()
    x = torch.tensor(rng.random((1, 3, 61, 31)), requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, :, 30].sum(), x)
    rows = gradient.abs().amax(dim=(0, 1, 3)).nonzero().flatten()
    # Five convolutions, and the hole.
    assert (rows.min(), rows.max()) == (30 - 7, 30 + 7)
    assert network.margin == 7


def test_a_mask_of_the_input_has_no_place():
    with pytest.raises(MidError, match="sees no mask"):
        build(SMALL, extra_channels=1)


# The published layout, and its pass written again in plain NumPy.


def published(rng, width=4, groups=2, blocks=2):
    """Random weights under the published names, masked taps included."""
    shapes = {"unet.conv1": (width, 3, 3, 3), "unet.conv2": (width, width, 3, 3)}
    for group in range(groups):
        prefix = f"unet.RIR_blocks.{group}"
        shapes[f"{prefix}.conv_out"] = (width, width, 3, 3)
        for block in range(blocks):
            for layer in ("conv1", "conv2"):
                shapes[f"{prefix}.res_blocks.{block}.{layer}"] = (width, width, 3, 3)
    mixing = {"A": (8, 8), "B": (2, 8), "C": (None, 2)}
    for name, (outputs, inputs) in mixing.items():
        outputs = outputs * width if outputs else 3
        shapes[f"nin_{name}"] = (outputs, inputs * width, 1, 1)
    weights = {}
    for name, shape in shapes.items():
        spread = 1 / np.sqrt(np.prod(shape[1:]))
        weights[f"{name}.weight"] = rng.normal(0, spread, shape)
        weights[f"{name}.bias"] = rng.normal(0, 0.1, shape[0])
        if shape[-1] == 3:
            weights[f"{name}.mask"] = np.triu(np.ones(shape))
    return {name: torch.tensor(w, dtype=torch.float32) for name, w in weights.items()}


def masked(x, p, name):
    """A 3x3 convolution by its six taps; x (C, H, W)."""
    weight = p[f"{name}.weight"].numpy().astype(float)
    _, height, width = x.shape
    around = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    result = p[f"{name}.bias"].numpy()[:, None, None].astype(float)
    for i, j in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]:
        part = around[:, i : i + height, j : j + width]
        result = result + np.einsum("oc,chw->ohw", weight[..., i, j], part)
    return result


def features(x, p, groups, blocks):
    first = z = masked(x, p, "unet.conv1")
    for group in range(groups):
        prefix, before = f"unet.RIR_blocks.{group}", z
        for block in range(blocks):
            inner = masked(z, p, f"{prefix}.res_blocks.{block}.conv1")
            z = z + masked(inner.clip(0), p, f"{prefix}.res_blocks.{block}.conv2")
        z = before + masked(z, p, f"{prefix}.conv_out")
    return first + masked(z, p, "unet.conv2")


def clockwise(x, times):
    for _ in range(times % 4):
        x = x.transpose(0, 2, 1)[..., ::-1]
    return x


def published_pass(x, p, hole, groups=2, blocks=2):
    """(3, H, W), as the published code does it for a hole of at least 1."""
    turned = []
    for times in range(4):
        z = features(clockwise(x, times), p, groups, blocks)
        down, left = np.zeros_like(z), np.zeros_like(z)
        down[:, hole:], left[..., :-hole] = z[:, :-hole], z[..., hole:]
        turned.append(clockwise(np.concatenate([down, left]), -times))
    z = np.concatenate(turned)
    for name in ("nin_A", "nin_B", "nin_C"):
        weight = p[f"{name}.weight"].numpy()[..., 0, 0].astype(float)
        z = (
            np.einsum("oc,chw->ohw", weight, z)
            + p[f"{name}.bias"].numpy()[:, None, None]
        )
        z = z if name == "nin_C" else z.clip(0)
    return z


def test_a_published_file_is_known_by_its_weights(rng):
    network, settings = from_weights(published(rng, 48, 5, 5))
    assert settings == {"name": "triangular"}
    assert sum(p.numel() for p in network.parameters()) == 1_350_339


@pytest.mark.parametrize("hole", [1, 4])
def test_published_weights_give_what_they_gave(hole, rng):
    weights = published(rng)
    network = build(SMALL)
    network.load_state_dict(from_published(weights))
    x = rng.random((3, 19, 26))
    image = torch.tensor(x[None], dtype=torch.float32)
    around = np.pad(x, ((0, 0), (AROUND, AROUND), (AROUND, AROUND)), mode="reflect")
    wanted = published_pass(around, weights, hole)[:, AROUND:-AROUND, AROUND:-AROUND]
    with torch.no_grad():
        in_training = network(image, hole=hole)[0].numpy()
        found = network.eval()(image, hole=hole)[0].numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(in_training, published_pass(x, weights, hole), atol=1e-5)
    assert wanted.std() > 0.01


def test_other_weights_are_not_taken_for_them(rng):
    weights = published(rng) | {"body.0.weight": torch.zeros(1)}
    with pytest.raises(MidError, match="of the published TM-BSN"):
        from_published(weights)


# Its trainings, small.


@pytest.fixture
def noisy(rng):
    ramp = np.linspace(0.2, 0.8, 41)[:, None, None]
    image = ramp + rng.normal(0, 0.05, (41, 33, 3))
    return Pool((255 * image).clip(0, 255).astype(np.uint8))


def trained(stage, network, noisy, steps=40):
    """Train, and return the loss of one batch before and after."""
    batches = stage.batches({"noisy": noisy}, 2, 24, [0])
    settings = Training(steps, 2, 24, learning_rate=3e-3, ema_decay=0)
    trainer = Trainer(network, settings, CPU, turns=stage.turns())
    fixed = batches.draw(steps)

    def loss():
        with torch.no_grad():
            return stage.loss(network, fixed).item()

    before = loss()
    for step in range(steps):
        trainer.step(*batches.draw(step))
    return before, loss()


def test_masked_taps_stay_without_effect(noisy, rng):
    stage = stage_of(stages(tm_bsn)["teacher"])
    network = build(SMALL)
    first = network.first.weight.clone()
    trained(stage, network, noisy, steps=5)
    assert (network.first.weight != first).any()
    x = torch.tensor(rng.random((1, 3, 23, 17)), dtype=torch.float32)
    with torch.no_grad():
        before = network(x)
        convolutions = [p for p in network.parameters() if p.shape[2:] == (3, 3)]
        for weight in convolutions:
            weight += 100 * torch.ones(3, 3).tril(-1)
        assert len(convolutions) == 12
        torch.testing.assert_close(network(x), before, rtol=0, atol=0)


def test_teacher_and_student_learn(noisy):
    found, student = stages(tm_bsn_distilled).values()
    teacher = build(SMALL | {"groups": 1, "hole": 4})
    before, after = trained(stage_of(found), teacher, noisy)
    assert after < before / 2
    stage = stage_of(student, teacher.eval())
    plain = build(student["network"] | {"width": 4}, seed=[1])
    before, after = trained(stage, plain, noisy)
    assert after < before / 2


def test_the_student_learns_from_five_holes_and_the_noisy_pixels(noisy):
    _, student = stages(tm_bsn_distilled).values()
    teacher = build(SMALL).eval()
    stage = stage_of(student, teacher)
    y, _, choice = stage.batches({"noisy": noisy}, 2, 24, [0]).draw(0)
    prediction = torch.full_like(y, 0.25)
    expected = 0.0
    for i, hole in enumerate([2, 3, 4, 5, 6]):
        target = teacher(y, hole=hole).detach()
        put_back = (choice == i).expand_as(y)
        assert 0.1 < put_back.float().mean() < 0.3
        target[put_back] = y[put_back]
        expected += F.l1_loss(prediction, target).item()
    found = stage.loss(lambda y: prediction, (y, y, choice)).item()
    assert found == pytest.approx(expected, rel=1e-5)
