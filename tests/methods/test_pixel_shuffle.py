"""Sub-images, and answers by them, on small images of odd, non-square sizes."""

import pytest
import torch
from torch import Tensor

from mid_core.errors import MidError
from mid_core.methods.pixel_shuffle import (
    ByStride,
    check_patch_size,
)
from mid_core.networks import build
from mid_core.networks.denoiser import Denoiser
from mid_core.networks.layers import sub_images, whole_images

STRIDES = pytest.mark.parametrize("stride", [1, 2, 3, 5])


class Plain(Denoiser):
    """A 3x3 mean, or what else is given, and a note of what it was shown."""

    def __init__(self, function=lambda x: x, radius=1):
        super().__init__(3, 0, 1, 0, residual=False)
        self.function, self.radius, self.seen = function, radius, []

    @property
    def receptive_field_radius(self):
        return self.radius

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return self.function(x)


def random(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(3))


def answer(network, **options):
    return ByStride(network, **options).eval()


@STRIDES
def test_sub_images_are_put_together_again(stride):
    y = random(2, 3, 2 * stride, 3 * stride)
    parts = sub_images(y, stride)
    assert parts.shape == (2 * stride**2, 3, 2, 3)
    assert torch.equal(whole_images(parts, stride), y)


@STRIDES
def test_a_sub_image_is_every_s_th_pixel(stride):
    y = random(2, 3, 2 * stride, 3 * stride)
    parts = iter(sub_images(y, stride))
    for image in y:
        for i in range(stride):
            for j in range(stride):
                assert torch.equal(next(parts), image[:, i::stride, j::stride])


def test_masks_are_cut_as_images_are():
    y = random(2, 3, 10, 15)
    assert torch.equal(sub_images(y > 0.5, 5), sub_images(y, 5) > 0.5)


def test_a_patch_that_cannot_be_cut_is_refused():
    check_patch_size(35, 5)
    with pytest.raises(
        MidError, match=r"128, which is no multiple .* 5: set it to 125"
    ):
        check_patch_size(128, 5)


@pytest.mark.parametrize("size", [(7, 9), (8, 10), (1, 1), (13, 1)])
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_an_image_of_any_size_comes_back(size, stride):
    y = random(1, 3, *size)
    for refinements in (0, 2):
        options = {"stride": stride, "refinements": refinements}
        assert torch.equal(answer(Plain(), **options)(y), y)


def test_what_is_added_around_is_the_last_row_and_column():
    network = Plain()
    answer(network, stride=2, refinements=0)(random(1, 3, 7, 9))
    first, right, below, _ = network.seen[0]
    assert torch.equal(right[..., -1], first[..., -1])
    assert torch.equal(below[:, -1], first[:, -1])


def test_the_first_pass_sees_sub_images_and_the_others_the_whole():
    network = Plain()
    answer(network, stride=2, refinements=3)(random(1, 3, 6, 8))
    assert [len(seen) for seen in network.seen] == [4, 1, 1, 1]


def test_refinement_with_all_noisy_values_is_the_network_on_the_image():
    y, square = random(1, 3, 7, 9), Plain(torch.square)
    options = {"stride": 2, "refinements": 4}
    torch.testing.assert_close(answer(square, **options, share=1)(y), y**2)
    torch.testing.assert_close(answer(square, **options, share=0)(y), y**4)


def test_refinement_is_the_mean_of_its_passes():
    # A network that adds 1 to the image: z = y + 1, and each value is y + 1 or y + 2.
    y, network = random(1, 3, 65, 87), Plain(lambda x: x + 1)
    more = answer(network, stride=2, refinements=8, share=0.16)(y) - y
    steps = 8 * (more - 1)
    torch.testing.assert_close(steps, steps.round(), atol=1e-4, rtol=0)
    # 8 patterns of 32x32 pixels and 3 colours: five standard deviations are 0.012.
    assert abs((2 - more).mean() - 0.16) < 0.012
    passes = network.seen[1:]
    assert not any(torch.equal(passes[0], other) for other in passes[1:])


def test_values_are_put_back_by_colour_or_by_pixel():
    y = random(1, 3, 33, 35)
    for per, agree in [("pixel", True), ("colour", False)]:
        network = Plain(torch.zeros_like)
        answer(network, stride=1, refinements=1, share=0.5, per=per)(y)
        back = network.seen[1] > 0
        assert bool((back == back[:, :1]).all()) == agree


def test_the_same_image_has_the_same_answer():
    y, network = random(1, 3, 9, 7), Plain(lambda x: x + 1)
    used = answer(network, stride=2, refinements=2, share=0.5)
    state = torch.random.get_rng_state()
    assert torch.equal(used(y), used(y))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("refinements", [0, 1])
def test_an_output_depends_on_nothing_beyond_the_margin(refinements):
    network = build({"name": "dncnn", "width": 4, "depth": 2}).double().eval()
    used = answer(network, stride=2, refinements=refinements, share=0)
    assert used.margin == (2 + refinements) * 2
    y = random(1, 3, 31, 33).double().requires_grad_()
    used(y)[0, :, 15, 16].sum().backward()
    rows, columns = y.grad[0].abs().sum(0).nonzero().T
    far = max((rows - 15).abs().max(), (columns - 16).abs().max())
    assert used.margin - 2 < far <= used.margin


def test_tiles_that_start_at_the_alignment_have_the_answer_of_the_whole():
    settings = {"name": "unet", "width": 4, "depth": 1}
    used = answer(build(settings).eval(), stride=3, refinements=2, share=0.5)
    assert used.alignment == 3 * 32
    y = random(1, 3, 166, 150)
    with torch.inference_mode():
        whole, tile = used(y), used(y[..., 96:, :])
    inner = (..., slice(used.margin, None), slice(None))
    torch.testing.assert_close(tile[inner], whole[..., 96:, :][inner])
