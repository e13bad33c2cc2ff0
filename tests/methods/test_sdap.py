"""SDAP: random sub-samples, and a tiny training on simulated correlated noise."""

import numpy as np
import torch
from torch import nn

from mid_core.methods.pixel_shuffle import ByStride
from mid_core.methods.sdap import SubSamples, shuffled_cells
from mid_core.networks import build
from mid_core.networks.layers import sub_images
from mid_core.patches import InMemory
from tests.methods.correlated import DBSN, first_stage, squared_errors, trained


def crops(height=25, width=30, size=25):
    """A batch of two crops of an image whose pixels all differ, and colours tell so."""
    numbers = np.arange(height * width, dtype=np.float32).reshape(height, width, 1)
    pool = InMemory([("y", np.concatenate([numbers, -numbers, 2 * numbers], 2))])
    return SubSamples(None).batches({"noisy": pool}, 2, size, [3])


def cells(image):
    """The pixels of each 5x5 cell of (H, W), sorted."""
    rows, columns = image.shape[0] // 5, image.shape[1] // 5
    return [
        sorted(image[5 * i : 5 * i + 5, 5 * j : 5 * j + 5].flatten().tolist())
        for i in range(rows)
        for j in range(columns)
    ]


def test_sub_samples_have_one_pixel_of_each_cell_and_share_none(rng):
    y = rng.random((15, 20, 3)).astype(np.float32)
    found = shuffled_cells(y, 5, rng)
    for colour in range(3):
        assert cells(found[..., colour]) == cells(y[..., colour])
    parts = sub_images(torch.tensor(found).permute(2, 0, 1)[None], 5)
    assert parts.shape == (25, 3, 3, 4)
    values = parts[:, 0].flatten().tolist()
    assert sorted(values) == sorted(y[..., 0].flatten().tolist())


def test_a_cell_has_one_order_for_all_colours(rng):
    y = rng.random((15, 20, 1)).astype(np.float32)
    found = shuffled_cells(np.concatenate([y, -y, 2 * y], 2), 5, rng)
    np.testing.assert_array_equal(found[..., 1], -found[..., 0])
    np.testing.assert_array_equal(found[..., 2], 2 * found[..., 0])


def test_each_cell_has_an_order_of_its_own(rng):
    places = np.arange(25).reshape(5, 5, 1)
    found = shuffled_cells(np.tile(places, (20, 20, 1)), 5, rng)
    orders = found.reshape(20, 5, 20, 5).swapaxes(1, 2).reshape(400, 25)
    assert len({tuple(order) for order in orders}) == 400
    # Each place is as likely: 400 draws of 25, in six standard deviations.
    counts = [np.bincount(orders[:, k], minlength=25) for k in range(25)]
    assert np.abs(np.array(counts) - 16).max() < 6 * np.sqrt(16)


def test_batches_are_shuffled_crops_and_come_again():
    sampler = crops()
    y, target = sampler.draw(4)
    assert torch.equal(y, target)
    assert torch.equal(y[:, 1], -y[:, 0])
    assert torch.equal(sampler.draw(4)[0], y)
    assert not torch.equal(sampler.draw(5)[0], y)
    # A crop is a rectangle of the image: 5 x 5 cells of 5 x 5 pixels.
    first = np.array(sorted(y[0, 0].flatten().tolist()))
    assert len(np.unique(first)) == 625


def test_each_sub_sample_learns_the_next_one():
    y, _ = batch = crops().draw(0)
    parts = sub_images(y, 5).view(2, 25, 3, 5, 5)
    errors = [
        (parts[:, k] - parts[:, (k + 1) % 25]).abs().mean().item() for k in range(25)
    ]
    found = SubSamples(None).loss(nn.Identity(), batch).item()
    np.testing.assert_allclose(found, np.mean(errors), rtol=1e-5)
    assert min(errors) > 0


def test_the_loss_pairs_sub_samples_of_one_image_only():
    y, _ = crops().draw(0)
    stage, identity = SubSamples(None), nn.Identity()
    alone = [stage.loss(identity, (one[None], one[None])) for one in y]
    torch.testing.assert_close(stage.loss(identity, (y, y)), sum(alone) / 2)


def test_the_answer_is_the_network_on_its_first_result(rng):
    options = first_stage("sdap")["answer"]
    network = build({"name": "dncnn", "width": 4, "depth": 3}).eval()
    y = torch.tensor(rng.random((1, 3, 9, 7)), dtype=torch.float32)
    settings = {key: value for key, value in options.items() if key != "does"}
    with torch.inference_mode():
        found = ByStride(network, **settings)(y)
        z = ByStride(network, stride=2, refinements=0)(y)
        torch.testing.assert_close(found, network(z))
    assert not torch.equal(found, z)


def test_a_tiny_training_denoises_correlated_noise():
    answer, losses = trained("sdap", DBSN, 100)
    assert np.mean(losses[-20:]) < np.mean(losses[:5]) / 2
    before, after = squared_errors(answer)
    assert after < before / 2
