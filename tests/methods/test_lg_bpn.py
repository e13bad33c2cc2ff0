"""LG-BPN: what its kernels hide and see, and how its answer uses them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mid_core.ensemble import denoise
from mid_core.masking import Masking
from mid_core.methods import answer_of, stage_of
from mid_core.methods.lg_bpn import BlindPatch, Shrunken
from mid_core.networks import build
from mid_core.networks.lg_bpn import LGBPN, PatchMasked, moved_taps
from mid_core.trainer import Trainer, Training
from mid_core.training import train
from tests.methods.correlated import CPU, clean, first_stage, noisy, pool

SMALL = {"name": "lg_bpn", "width": 8, "head_width": 4, "modules": 1, "blocks": 1}
SHRUNKEN = (3, 4), (0.72, 0.8)
REFINED = (2, 4), (0.46, 0.43)


def test_the_parameters_are_as_many_as_published():
    with torch.device("meta"):
        network = LGBPN()
    # The published far kernel has 21 x 21 taps, of which 11 x 11 are not in between.
    unused = 24 * 128 * (21**2 - 11**2)
    assert sum(p.numel() for p in network.parameters()) + unused == 4_558_879


def test_kernels_have_as_many_taps_as_published():
    assert PatchMasked(1, 1, 9, 1).kept().sum() == 40
    assert PatchMasked(1, 1, 11, 2).kept().sum() == 108


@pytest.mark.parametrize(("taps", "step"), [(9, 1), (11, 2)])
def test_a_kernel_is_a_convolution_without_its_diamond(taps, step, rng):
    layer = PatchMasked(2, 3, taps, step).double()
    x = torch.tensor(rng.random((1, 2, 27, 24)))
    dense = torch.zeros(3, 2, step * (taps - 1) + 1, step * (taps - 1) + 1).double()
    dense[..., ::step, ::step] = layer.weight.detach()
    half = dense.shape[-1] // 2
    for row in range(-4, 5):
        for column in range(-4, 5):
            if abs(row) + abs(column) <= 4:
                dense[..., half + row, half + column] = 0
    with torch.no_grad():
        expected = F.conv2d(x, dense, layer.bias, padding=half)
        torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("ratio", [1, 0.8, 0.43])
def test_moved_taps_read_between_pixels(ratio, rng):
    layer = PatchMasked(1, 1, 9, 1).double()
    x = rng.random((40, 37))
    rows, columns = np.arange(40.0), np.arange(37.0)
    expected, kernel = 0.0, (layer.weight * layer.kept())[0, 0].detach().numpy()
    # Each tap by itself: the image, interpolated in rows and then in columns.
    for i in range(9):
        for j in range(9):
            at = 20 + ratio * (i - 4), 18 + ratio * (j - 4)
            row = [np.interp(at[0], rows, x[:, k]) for k in range(37)]
            expected += kernel[i, j] * np.interp(at[1], columns, row)
    with torch.no_grad():
        found = layer(torch.tensor(x)[None, None], ratio)[0, 0, 20, 18]
    assert found.item() - layer.bias.item() == pytest.approx(expected, abs=1e-7)


def test_at_a_ratio_of_nearly_one_taps_hardly_move(rng):
    layer = PatchMasked(2, 3, 11, 2).double()
    x = torch.tensor(rng.random((1, 2, 23, 31)))
    with torch.no_grad():
        torch.testing.assert_close(layer(x, 1 - 1e-9), layer(x), rtol=0, atol=1e-6)


def test_no_part_of_a_tap_is_lost():
    for taps, step in [(9, 0.72), (9, 0.46), (11, 1.6), (11, 0.86)]:
        moves = moved_taps(taps, step)
        np.testing.assert_allclose(moves.sum(0), 1, atol=1e-6)
        places = (torch.arange(len(moves)) - len(moves) // 2).float() @ moves
        wanted = step * (torch.arange(taps) - taps // 2)
        np.testing.assert_allclose(places, wanted, atol=1e-5)


def seen_offsets(how=()):
    """Offsets whose pixels have an effect, apart from the statistics of channels."""
    seen, (row, column) = set(), (45, 47)
    for seed in range(5):
        network = build(SMALL, seed=[seed]).double()
        for block in network.far:
            # As if the attention's weights were known beforehand.
            plain = block.attention.weights
            block.attention.weights = lambda q, k, cell, plain=plain: torch.ones_like(
                plain(q, k, cell)
            ).detach()
        y = torch.rand(1, 3, 91, 96, dtype=torch.float64, requires_grad=True)
        network(y, *how)[0, :, row, column].sum().backward()
        rows, columns = y.grad[0].abs().sum(0).nonzero().T
        seen |= set(
            zip((rows - row).tolist(), (columns - column).tolist(), strict=True)
        )
    return seen


def kernel_and_steps(half, step, jump, reach):
    """Offsets that a masked kernel sees, moved by up to ``reach`` jumps."""
    kernel = [
        (i, j)
        for i in range(-half, half + 1, step)
        for j in range(-half, half + 1, step)
        if abs(i) + abs(j) > 4
    ]
    moves = range(-jump * reach, jump * reach + 1, jump)
    return {(i + a, j + b) for i, j in kernel for a in moves for b in moves}


def test_the_output_sees_all_but_its_patch_and_what_grids_leave_out():
    # Near: one unit of dilation 2 on sub-images of stride 4. Far: a block with two
    # convolutions of dilation 3 and one after it, on those of stride 5.
    near = kernel_and_steps(4, 1, 8, 1)
    far = {
        (row, column)
        for row, column in kernel_and_steps(10, 2, 15, 3)
        if -45 <= row <= 45 and -47 <= column <= 48
    }
    seen = seen_offsets()
    assert seen == near | far
    patch = {(i, j) for i, j in seen if abs(i) + abs(j) <= 4}
    assert patch == set()
    assert {(5, 0), (-3, 2), (0, -5)} <= seen


@pytest.mark.parametrize(("how", "hidden"), [(SHRUNKEN, 1), (REFINED, 0)])
def test_smaller_kernels_see_closer_and_not_the_pixel_itself(how, hidden):
    seen = seen_offsets(how)
    assert min(abs(i) + abs(j) for i, j in seen) == hidden + 1


def test_the_margin_is_what_it_sees():
    network = build(SMALL)
    assert network.margin == 10 + 5 * 3 * 3
    assert network.reach((4, 5)) == network.margin
    # Of the answer, the far branch: 17 x 17 pixels, then 11 x 11 with longer steps.
    assert network.reach(*SHRUNKEN) == 8 + 4 * 9
    assert Shrunken(network, refinements=0).margin == 8 + 4 * 9
    assert Shrunken(network).margin == 8 + 4 * 9 + 5 + 4 * 9


def test_a_channels_statistics_are_of_the_trainings_sub_images():
    network = build(SMALL).eval()
    network.set_patch_size(120)
    # Half of the 24 pixels of a sub-image.
    assert network.far[0].cell == 12
    assert Shrunken(network).alignment % (4 * 12) == 0
    network.set_patch_size(None)
    assert network.far[0].cell is None


def test_the_loss_is_the_error_to_the_noisy_pixels():
    y = torch.rand(2, 3, 17, 23, generator=torch.Generator().manual_seed(0))
    network = build(SMALL)
    expected = (network(y) - y).abs().mean()
    torch.testing.assert_close(BlindPatch(None).loss(network, (y, y)), expected)
    other = BlindPatch(None, strides=(2, 2)).loss(network, (y, y))
    assert abs(other - expected) > 1e-5


def test_refinement_without_noise_is_a_second_pass(rng):
    network = build(SMALL).eval()
    y = torch.tensor(rng.random((1, 3, 23, 18)), dtype=torch.float32)
    with torch.inference_mode():
        z = network(y, *SHRUNKEN)
        torch.testing.assert_close(Shrunken(network, refinements=0)(y), z)
        found = Shrunken(network, refinements=2, share=0)(y)
        torch.testing.assert_close(found, network(z, *REFINED))
        found = Shrunken(network, refinements=2, share=1)(y)
        torch.testing.assert_close(found, network(y, *REFINED))


def test_an_image_of_any_size_and_in_grey_comes_back():
    for channels in (1, 3):
        used = Shrunken(build(SMALL, channels).eval(), refinements=1)
        for size in [(1, 1), (7, 9), (30, 17)]:
            y = torch.rand(1, channels, *size)
            with torch.inference_mode():
                found = used(y)
            assert found.shape == y.shape
            assert found.isfinite().all()


def test_tiles_have_the_answer_of_the_whole(rng):
    network = build(SMALL).eval()
    network.set_patch_size(20)
    used = Shrunken(network, refinements=1)
    y = rng.random((420, 130, 3)).astype(np.float32)
    with torch.inference_mode():
        whole, tiled = (
            denoise(used, y, Masking(0.0), [0], (1,), tile)[0] for tile in (480, 384)
        )
    np.testing.assert_allclose(tiled, whole, atol=1e-3)
    assert abs(whole).std() > 1e-2


def test_the_network_and_its_answer_are_the_papers():
    told = first_stage("lg_bpn")
    assert told["options"]["strides"] == [4, 5]
    used = {key: value for key, value in told["answer"].items() if key != "does"}
    answer = Shrunken(build(SMALL), **used)
    assert (answer.refinements, answer.share, answer.per) == (8, 0.16, "colour")
    assert [list(map(tuple, one)) for one in (answer.first, answer.further)] == [
        list(SHRUNKEN),
        list(REFINED),
    ]


@pytest.mark.slow
def test_a_tiny_training_denoises_correlated_noise():
    told = first_stage("lg_bpn")
    stage = stage_of(told)
    network = stage.build(SMALL | {"width": 16, "head_width": 8}, 3, [1])
    training = Training(100, 1, 80, 3e-3, max_grad_norm=0, ema_decay=0)
    trainer = Trainer(network, training, CPU, turns=stage.turns())
    # Crops must hold what the network looks at: on smaller ones it learns the border.
    noisy_ones = {"noisy": pool(20, 92, 100)}
    train(trainer, stage.batches(noisy_ones, 1, 80, [0]), every=1)
    losses = [row["loss"] for row in trainer.history]
    assert np.mean(losses[-10:]) < np.mean(losses[:5]) / 2
    x = clean(1000, 161, 183)
    y = noisy(1000, x)
    answer = answer_of({**told["answer"], "refinements": 0}, network.eval())
    with torch.inference_mode():
        found = answer(torch.tensor(y).permute(2, 0, 1)[None])[0].permute(1, 2, 0)
    assert ((found.numpy() - x) ** 2).mean() < ((y - x) ** 2).mean() / 3
