import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from mid_core import ensemble
from mid_core.ensemble import default_tile, denoise, spans
from mid_core.errors import MidError
from mid_core.masking import Masking, mask_rows
from mid_core.networks import build
from mid_core.noise import residual


class Identity(nn.Module):
    """D(y) = y, so that everything around the network is exact."""

    margin, alignment, channels = 3, 4, 3

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x[:, :3] * self.weight


@pytest.fixture
def y(rng):
    return rng.random((61, 83, 3), dtype=np.float32)


@pytest.mark.parametrize("per", ["pixel", "colour"])
def test_residual_of_the_identity_is_the_hidden_part(y, per):
    # Eq. 4: y - D(M*y) = y - M*y, zero where the pixel was kept.
    channels = 1 if per == "pixel" else 3
    found = residual(Identity(), y, Masking(0.8, per=per), [4], num_masks=1, tile=16)
    mask = mask_rows([4, 0], (0, 61), (0, 83), 83, channels, 0.8)
    np.testing.assert_array_equal(found, ((1 - mask) * y).astype(np.float16))
    assert found.dtype == np.float16


def test_residual_does_not_depend_on_other_images_or_tiles(y):
    small = residual(Identity(), y, Masking(0.5), [4, 1], num_masks=3, tile=16)
    large = residual(Identity(), y, Masking(0.5), [4, 1], num_masks=3, tile=512)
    other = residual(Identity(), y, Masking(0.5), [4, 2], num_masks=3, tile=512)
    np.testing.assert_array_equal(small, large)
    assert (small != other).any()


def test_ensemble_is_the_mean_of_single_predictions(network, y):
    masking = Masking(0.7)
    singles = []
    for p in range(4):
        mask = mask_rows([9, p], (0, 61), (0, 83), 83, 1, 0.7)
        shown = masking.apply(torch.from_numpy(y), torch.from_numpy(mask))
        batch = shown[None].permute(0, 3, 1, 2)
        with torch.no_grad():
            singles.append(network(batch)[0].permute(1, 2, 0).numpy())
    one, three, four = denoise(network, y, masking, [9], counts=(1, 3, 4))
    np.testing.assert_allclose(one, singles[0], atol=1e-6)
    np.testing.assert_allclose(three, np.mean(singles[:3], axis=0), atol=1e-6)
    np.testing.assert_allclose(four, np.mean(singles, axis=0), atol=1e-6)


@pytest.fixture
def attentive(network):
    """A network whose answer depends much on the means that its attention takes."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("sca.1.weight"):
                parameter *= 5
            if name.endswith("norm1.bias"):
                parameter += torch.rand(parameter.shape, generator=generator)
    return network


@pytest.mark.parametrize("mask_ratio", [0.0, 0.3])
def test_tiles_equal_the_whole_within_a_grey_level(attentive, rng, mask_ratio):
    # Uneven light, so that the means of tiles differ from those of the image.
    light = np.linspace(0.05, 1, 403)[:, None, None]
    y = (light * rng.random((403, 291, 3))).astype(np.float32)

    def difference(patch_size):
        attentive.set_patch_size(patch_size)
        whole, tiled = (
            denoise(attentive, y, Masking(mask_ratio), [1], (2,), tile)[0]
            for tile in (1024, 256)
        )
        return abs(tiled - whole).max()

    assert difference(patch_size=16) < 1 / 255
    # Means over the whole tile are what makes tiles visible.
    assert difference(patch_size=None) > 1 / 255


def test_tiles_reach_as_far_as_local_means_do(rng):
    settings = {"name": "dncnn", "width": 4, "depth": 3, "centred": True}
    network, y = build(settings).eval(), rng.random((203, 191, 3), dtype=np.float32)
    whole, tiled = (
        denoise(network, y, Masking(0.8, fill="mean"), [1], (2,), tile)[0]
        for tile in (256, 128)
    )
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


@pytest.mark.parametrize("per", ["pixel", "colour"])
@pytest.mark.parametrize("shown", [True, False])
def test_a_network_is_shown_the_same_as_in_training(y, per, shown):
    masking = Masking(0.5, per, fill=0.25, as_input=shown)
    seen = []

    class Spy(Identity):
        def forward(self, x):
            seen.append(x[0].permute(1, 2, 0).numpy())
            return super().forward(x)

    denoise(Spy(), y, masking, [3], (1,))
    mask = mask_rows([3, 0], (0, 61), (0, 83), 83, masking.channels(3), 0.5)
    expected = masking.apply(torch.from_numpy(y), torch.from_numpy(mask))
    np.testing.assert_array_equal(seen[0], expected)


@pytest.mark.parametrize("length", [1, 16, 61, 64, 65, 100, 341])
@pytest.mark.parametrize(("tile", "margin", "step"), [(64, 9, 4), (40, 10, 8)])
def test_tiles_are_as_few_as_there_can_be(length, tile, margin, step):
    network = SimpleNamespace(margin=margin, alignment=step)
    around = -(-margin // step) * step
    found = list(spans(network, length, tile))
    decided = [range(inner, end) for _, _, inner, end in found]
    assert [i for one in decided for i in one] == list(range(length))
    for start, stop, inner, end in found:
        assert stop - start <= tile
        assert start == max(0, inner - around)
        assert stop == min(length, end + around)
        assert inner % step == 0
    # At least so much of a tile is lost to margins: all but two of its neighbours' sides.
    gain = (tile - 2 * around) // step * step
    fewest = 1 if length <= tile else -(-(length - 2 * (tile - around)) // gain) + 2
    assert len(found) <= max(fewest, 2) if length > tile else len(found) == 1


def test_where_nobody_says_it_a_tile_is_larger_on_a_gpu():
    assert default_tile("cuda") > default_tile("cpu") == default_tile("mps")


def test_the_network_never_sees_more_than_a_tile(y):
    seen = []

    class Spy(Identity):
        def forward(self, x):
            seen.append(max(x.shape[-2:]))
            return super().forward(x)

    result = denoise(Spy(), y, Masking(0.0), [0], (1,), tile=24)[0]
    np.testing.assert_array_equal(result, y)
    assert max(seen) <= 24


def test_without_hidden_pixels_one_pass_is_made(y):
    calls = []

    class Counting(Identity):
        def forward(self, x):
            calls.append(1)
            return super().forward(x)

    results = denoise(Counting(), y, Masking(0.0), [0], (1, 10))
    assert len(calls) == 1
    np.testing.assert_array_equal(results[0], results[1])


def test_shown_masks_reach_the_network(y):
    class Fill(Identity):
        def forward(self, x):
            assert x.shape[1] == 4
            return x[:, 3:].expand(-1, 3, -1, -1) * self.weight

    found = denoise(Fill(), y, Masking(0.5, as_input=True), [3], (1,))[0]
    mask = mask_rows([3, 0], (0, 61), (0, 83), 83, 1, 0.5)
    np.testing.assert_array_equal(found, np.repeat(mask, 3, axis=2))


class Small(nn.Module):
    """A network on a GPU whose memory holds so many pixels (simulated)."""

    def __init__(self, network, pixels):
        super().__init__()
        self.network, self.pixels = network, pixels
        self.margin, self.alignment = network.margin, network.alignment
        self.channels = network.channels

    def forward(self, x):
        if x.shape[-1] * x.shape[-2] > self.pixels:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.network(x)


def test_a_full_gpu_halves_the_tile(network, rng, caplog):
    y = rng.random((259, 131, 3), dtype=np.float32)
    network.set_patch_size(8)
    shares = []
    for _ in range(2):
        found = denoise(
            *(Small(network, 128 * 128), y, Masking(0.3), [5], (1, 2), 512),
            report=shares.append,
        )
    expected = denoise(network, y, Masking(0.3), [5], (1, 2), tile=128)
    np.testing.assert_array_equal(found, expected)
    assert sum(shares) == pytest.approx(2)
    # Said once for each size, not for every image.
    assert caplog.text.count("tiles of 512 pixels do not fit") == 1
    assert caplog.text.count("going on with 128; set tile to that") == 1


def test_the_next_image_begins_with_the_tile_that_fits(network, rng):
    y, shares = rng.random((130, 131, 3), dtype=np.float32), []
    small = Small(network, 128 * 128)
    denoise(small, y, Masking(0.3), [5], (1,), 512)
    denoise(small, y, Masking(0.3), [6], (1,), 512, report=shares.append)
    assert min(shares) > 0


def test_what_was_done_with_larger_tiles_is_done_again(rng):
    y = rng.random((140, 90, 3), dtype=np.float32)
    calls = []

    class Filling(Identity):
        def forward(self, x):
            calls.append(x.shape[-2:])
            if len(calls) == 2:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return x * self.weight * (0.5 if max(x.shape[-2:]) > 64 else 1)

    shares = []
    (found,) = denoise(
        Filling(), y, Masking(0.0), [0], (1,), tile=130, report=shares.append
    )
    np.testing.assert_array_equal(found, y)
    assert min(shares) < 0
    assert sum(shares) == pytest.approx(1)


def test_memory_holds_few_masks_whatever_k_is(y, monkeypatch):
    drawn, alive = [], []

    def noted(*arguments):
        mask = mask_rows(*arguments)
        drawn.append(weakref.ref(mask))
        return mask

    class Counting(Identity):
        def forward(self, x):
            alive.append(sum(mask() is not None for mask in drawn))
            return super().forward(x)

    monkeypatch.setattr(ensemble, "mask_rows", noted)
    denoise(Counting(), y, Masking(0.5), [3], (1, 12), tile=24)
    bands = len(list(spans(Identity(), len(y), 24)))
    assert len(drawn) == 12 * bands > 12  # each mask once for a row of tiles
    # What is used, what two threads draw, and one that waits for the next pass.
    assert max(alive) <= ensemble.DRAWING + 2


@pytest.mark.parametrize(("alignment", "smallest"), [(4, 64), (48, 96)])
def test_a_gpu_that_is_too_full_is_refused(y, alignment, smallest):
    network = Small(Identity(), 0)
    network.alignment = alignment
    message = rf"takes none below {smallest}: end what else uses the GPU, or set the"
    with pytest.raises(MidError, match=message):
        denoise(network, y, Masking(0.3), [0], tile=512)
