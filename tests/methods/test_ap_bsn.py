"""The dilated blind-spot network, and AP-BSN on simulated correlated noise."""

import numpy as np
import pytest
import torch
from torch import nn

from mid_core.errors import MidError
from mid_core.methods.ap_bsn import Blind
from mid_core.methods.pixel_shuffle import ByStride
from mid_core.networks.dbsn import DBSN, CentreMasked
from mid_core.networks.layers import sub_images, whole_images
from tests.methods.correlated import DBSN as TINY
from tests.methods.correlated import first_stage, pool, squared_errors, trained


@pytest.mark.parametrize(
    ("width", "modules", "count"),
    [(128, 9, 3_656_131), (64, 9, 915_683), (32, 3, 106_099), (16, 3, 26_747)],
)
def test_the_parameters_are_as_many_as_published(width, modules, count):
    with torch.device("meta"):
        network = DBSN(width=width, modules=modules)
    assert sum(p.numel() for p in network.parameters()) == count
    assert network.margin == 2 + 3 * modules


def seen_offsets(network, shape, row, column):
    """Offsets (rows, columns) whose pixels have an effect on the output at a pixel."""
    y = torch.rand(1, 3, *shape, dtype=torch.float64, requires_grad=True)
    network(y)[0, :, row, column].sum().backward()
    rows, columns = y.grad[0].abs().sum(0).nonzero().T
    return set(zip((rows - row).tolist(), (columns - column).tolist(), strict=True))


def lattice(modules):
    """What two branches see, by the rule of the reference."""
    offsets = [(i, j) for i in range(-40, 41) for j in range(-40, 41)]

    def seen(dilation):
        reach = dilation - 1 + dilation * modules
        return {
            (i, j)
            for i, j in offsets
            if max(abs(i), abs(j)) <= reach and (i % dilation or j % dilation)
        }

    return seen(2) | seen(3)


@pytest.mark.parametrize("modules", [0, 2])
def test_the_output_sees_all_but_the_lattice(modules):
    torch.manual_seed(2)
    seen = set()
    for _ in range(4):
        network = DBSN(width=16, modules=modules).double()
        seen |= seen_offsets(network, (25, 29), 12, 13)
        seen |= seen_offsets(network, (25, 29), 11, 14)
    assert seen == lattice(modules)
    assert (0, 0) not in seen
    assert ((6, 6) in lattice(2), (6, 5) in lattice(2)) == (False, True)


def test_masked_taps_stay_without_effect_when_they_change():
    torch.manual_seed(2)
    network = DBSN(width=8, modules=1).double()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    network(torch.rand(1, 3, 13, 15, dtype=torch.float64)).mean().backward()
    optimizer.step()
    masked = [layer for layer in network.modules() if isinstance(layer, CentreMasked)]
    assert [layer.kernel_size for layer in masked] == [(3, 3), (5, 5)]
    for layer in masked:
        with torch.no_grad():
            layer.weight[..., layer.kernel_size[0] // 2, layer.kernel_size[1] // 2] = 7
    assert (0, 0) not in seen_offsets(network, (13, 15), 6, 7)


def test_the_loss_is_that_of_sub_images_put_together():
    y = torch.rand(2, 3, 15, 20, generator=torch.Generator().manual_seed(0))
    network = DBSN(width=4, modules=1)
    found = whole_images(network(sub_images(y, 5)), 5)
    expected = (found - y).abs().mean()
    torch.testing.assert_close(Blind(None).loss(network, (y, y)), expected)
    assert Blind(None).loss(nn.Identity(), (y, y)) == 0


def test_parts_of_a_batch_have_the_loss_of_the_whole():
    y = torch.rand(4, 3, 10, 15, generator=torch.Generator().manual_seed(0))
    network, stage = DBSN(width=4, modules=1), Blind(None)
    halves = [stage.loss(network, (half, half)) for half in y.chunk(2)]
    torch.testing.assert_close(sum(halves) / 2, stage.loss(network, (y, y)))


def test_crops_that_cannot_be_cut_are_refused():
    with pytest.raises(MidError, match=r"patch_size is 32, which is no multiple"):
        Blind(None).batches({"noisy": pool(1)}, 1, 32, [0])


def test_the_defaults_are_the_papers():
    stage = first_stage("ap_bsn")
    assert stage["training"]["patch_size"] % stage["options"]["stride"] == 0
    with torch.device("meta"):
        used = ByStride(DBSN(), stride=2, refinements=8)
    # 2 x 29 of the sub-images, and 29 of the refinement.
    assert (used.margin, used.alignment) == (87, 64)


def test_a_tiny_training_denoises_correlated_noise():
    answer, losses = trained("ap_bsn", TINY, 100)
    assert np.mean(losses[-20:]) < np.mean(losses[:5]) / 2
    before, after = squared_errors(answer)
    assert after < before / 2
