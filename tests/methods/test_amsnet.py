"""AMSNet: hidden groups of pixels, and a tiny training on correlated noise."""

import numpy as np
import pytest
import torch

from mid_core.ensemble import denoise
from mid_core.errors import MidError
from mid_core.masking import Masking
from mid_core.methods.amsnet import Complementary, Hidden
from mid_core.networks import build
from mid_core.networks.layers import sub_images
from tests.conftest import TINY, stir
from tests.methods.correlated import first_stage, pool, squared_errors, trained
from tests.methods.counting import Counting

SMALL = {"name": "dncnn", "width": 16, "depth": 4, "residual": False}


def batch(groups=2):
    return Hidden(None, groups=groups).batches({"noisy": pool(3)}, 4, 45, [5]).draw(0)


@pytest.mark.parametrize("groups", [2, 4])
def test_one_of_so_many_pixels_is_hidden(groups):
    shown, y, kept = batch(groups)
    assert kept.shape == (4, 1, 45, 45)
    assert not shown[~kept.expand_as(y)].any()
    assert torch.equal(shown[kept.expand_as(y)], y[kept.expand_as(y)])
    # 8100 pixels: five standard deviations.
    assert abs((~kept).float().mean() - 1 / groups) < 5 * 0.5 / 90


def test_the_loss_looks_at_hidden_pixels_only():
    shown, y, kept = batch()
    stage = Hidden(None)

    def loss(visible, hidden):
        wrong = torch.where(sub_images(kept, 5), visible, hidden)
        return stage.loss(lambda x: sub_images(y, 5) + wrong, (shown, y, kept)).item()

    assert loss(9.0, 0.0) == 0
    # An error of 0.3 at hidden pixels, as many as there are for their expected number.
    share = (~kept).float().mean().item()
    assert loss(9.0, 0.3) == pytest.approx(0.3 * share / 0.5, rel=1e-4)


def test_the_network_is_shown_sub_images_with_hidden_pixels():
    shown, y, kept = batch()
    seen = []
    Hidden(None).loss(lambda x: seen.append(x) or x, (shown, y, kept))
    assert torch.equal(seen[0], sub_images(torch.where(kept, y, 0.0), 5))
    assert seen[0].shape == (100, 3, 9, 9)


@pytest.mark.parametrize("groups", [2, 3])
def test_each_pixel_comes_from_the_pass_that_hid_it(groups):
    network = Counting()
    y = 0.5 + torch.rand(1, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    used = Complementary(network, stride=1, groups=groups, refinements=0)
    found = used(y)
    hidden = torch.stack([seen == 0 for seen in network.seen])
    assert len(hidden) == groups
    assert (hidden.sum(0) == 1).all()
    for number, (mask, seen) in enumerate(zip(hidden, network.seen, strict=True), 1):
        assert torch.equal(mask, mask[:, :1].expand_as(mask))
        assert torch.equal(found == number, mask)
        assert torch.equal(seen[~mask], y[~mask])


@pytest.mark.parametrize("settings", [SMALL, TINY | {"residual": False}])
def test_a_pixel_does_not_see_its_own_noisy_value(settings):
    network = stir(build(settings)).double().eval()
    used = Complementary(network, stride=2, refinements=0)
    y = torch.rand(1, 3, 17, 15, dtype=torch.float64)
    with torch.inference_mode():
        before = used(y)
        for row, column in [(8, 7), (3, 12)]:
            other = y.clone()
            other[..., row, column] += 0.5
            change = (used(other) - before).abs().sum(1)[0]
            assert change[row, column] == 0
            assert change.max() > 0


def test_an_image_of_any_size_comes_back_and_comes_again():
    used = Complementary(build(SMALL).eval(), refinements=2)
    for size in [(7, 9), (1, 1), (16, 13)]:
        y = torch.rand(1, 3, *size)
        with torch.inference_mode():
            assert used(y).shape == y.shape
            assert torch.equal(used(y), used(y))


def test_tiles_have_the_answer_of_the_whole(rng):
    used = Complementary(build(SMALL).eval(), refinements=1)
    y = rng.random((217, 131, 3)).astype(np.float32)
    with torch.inference_mode():
        whole, tiled = (
            denoise(used, y, Masking(0.0), [0], (1,), tile)[0] for tile in (256, 128)
        )
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_statistics_are_of_the_sub_images_of_the_training():
    network = build(TINY).eval()
    used = Complementary(network, stride=2, refinements=8, trained_stride=5)
    used.set_patch_size(160)
    # Half of 160 / 5 pixels, a multiple of the network's stride of 4.
    assert network.cell_px == 16
    assert used.alignment == 2 * 32
    assert used.margin == 3 * network.margin


def test_crops_that_cannot_be_cut_are_refused():
    with pytest.raises(MidError, match=r"patch_size is 32, which is no multiple"):
        Hidden(None).batches({"noisy": pool(1)}, 1, 32, [0])


def test_the_network_is_the_papers():
    told = first_stage("amsnet")
    with torch.device("meta"):
        network = build(told["network"])
    side = told["training"]["patch_size"] // told["options"]["stride"]
    assert (side, side % network.stride) == (32, 0)
    assert not network.residual


def test_a_tiny_training_denoises_correlated_noise():
    answer, losses = trained("amsnet", SMALL, 100)
    assert np.mean(losses[-20:]) < np.mean(losses[:5]) / 1.5
    before, after = squared_errors(answer)
    assert after < before / 2
