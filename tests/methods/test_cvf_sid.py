"""CVF-SID: how images are split, what is learnt from that, and a tiny training."""

import numpy as np
import pytest
import torch
from scipy.ndimage import generic_filter
from torch import nn

from mid_core.errors import MidError
from mid_core.methods import cvf_sid
from mid_core.methods.cvf_sid import Split, local_deviation, noise_deviation
from mid_core.networks import build
from mid_core.networks.cvf_sid import CVFSID, Decomposition, Parts
from mid_core.patches import InMemory
from mid_core.trainer import Trainer, Training
from tests.conftest import Pool
from tests.methods.correlated import first_stage, pool, squared_errors

SMALL = {"name": "cvf_sid", "width": 6, "depth": 3}
STAGE = Split(None, around=5, noise_depth=2, head_depth=1)


def random(rng, *shape):
    return torch.tensor(rng.random(shape))


def test_the_parameters_are_as_many_as_published():
    with torch.device("meta"):
        clean = CVFSID()
        whole = Decomposition(clean)
    assert sum(p.numel() for p in clean.parameters()) == 555_907
    assert sum(p.numel() for p in whole.parameters()) == 1_185_865


def test_noise_has_no_mean(rng):
    network = STAGE.build(SMALL, 3, [0]).double()
    parts = network(random(rng, 2, 3, 13, 17))
    for part in (parts.weight, parts.rest):
        assert part.abs().max() > 1e-4
        assert part.mean((2, 3)).abs().max() < 1e-12


def test_the_networks_start_from_the_seed_alone():
    before = torch.random.get_rng_state()
    one, same, other = (STAGE.build(SMALL, 3, [seed]) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    for name, value in one.state_dict().items():
        assert torch.equal(same.state_dict()[name], value)
        # Biases are zero.
        assert value.ndim == 1 or not torch.equal(other.state_dict()[name], value)
    # It is what a model file is read into.
    STAGE.build(SMALL, 1, [0])
    build(SMALL).load_state_dict(STAGE.trained(one).state_dict())


def test_the_answer_is_the_clean_part_of_a_reflected_image(rng):
    whole = STAGE.build(SMALL, 3, [0]).double().eval()
    y = random(rng, 1, 3, 40, 33)
    around = torch.nn.functional.pad(y, (20,) * 4, mode="reflect")
    expected = whole(around).clean[..., 20:-20, 20:-20]
    torch.testing.assert_close(STAGE.trained(whole)(y), expected)


class Told(nn.Module):
    """Splits images as it is told, and notes them."""

    def __init__(self, split):
        super().__init__()
        self.split, self.seen = split, []

    def forward(self, y):
        self.seen.append(y)
        return Parts(*self.split(y))


def reflected_anew(image, around):
    inner = image[..., around:-around, around:-around].numpy()
    rim = ((0, 0), (0, 0), (around, around), (around, around))
    return np.pad(inner, rim, mode="reflect")


def test_what_is_split_again_and_what_it_should_be(rng):
    """The 31 errors, one by one, of a split that is linear in the image."""
    y, deviation = random(rng, 1, 2, 9, 11), torch.tensor([0.1, 0.3]).view(1, 2, 1, 1)
    a, b, c = 0.6, 0.3, -0.2

    def split(z):
        return a * z, b * z, c * z

    network = Told(split)
    found = STAGE.loss(network, (y, deviation)).item()
    y = reflected_anew(torch.tensor(np.pad(y, ((0, 0), (0, 0), (5, 5), (5, 5)))), 5)
    clean, weight, rest = (share * y for share in (a, b, c))
    signal = clean + clean * weight

    def error(one, other):
        return ((one - other) ** 2).mean()

    def again(image):
        return split(reflected_anew(torch.tensor(image), 5))

    measured = noise_deviation(Parts(*map(torch.tensor, (clean, weight, rest))))
    total = error(signal + rest, y) + error(measured.numpy(), deviation.numpy())
    for image, wanted in [
        (clean, (clean, 0, 0)),
        (signal, (clean, weight, 0)),
        (rest, (0, None, rest)),
    ]:
        pairs = zip(again(image), wanted, strict=True)
        total += sum(error(p, w) for p, w in pairs if w is not None)
    noise = clean * weight
    for image, signs in [
        (clean + noise - rest, (1, -1)),
        (clean - noise + rest, (-1, 1)),
        (clean - noise - rest, (-1, -1)),
        (clean + noise + rest, (1, 1)),
        (clean + rest, (0, 1)),
        (clean - rest, (0, -1)),
        (clean - noise, (-1, 0)),
    ]:
        wanted = clean, signs[0] * weight, signs[1] * rest
        pairs = zip(again(image), wanted, strict=True)
        total += 0.1 * sum(error(p, w) for p, w in pairs)
    assert found == pytest.approx(total, rel=1e-6)
    assert [len(seen) for seen in network.seen] == [1, 3, 7]


def test_a_split_that_says_all_is_clean_pays_for_the_noise_it_denies(rng):
    y, deviation = random(rng, 2, 3, 9, 11), torch.full((2, 3, 1, 1), 0.2)
    stage = Split(None, around=0)
    nothing = Told(lambda z: (z, torch.zeros_like(z), torch.zeros_like(z)))
    # All is its own clean image, but for the noise that should be there.
    assert stage.loss(nothing, (y, deviation)).item() == pytest.approx(0.04, rel=1e-4)


def test_the_strength_of_the_noise(rng):
    clean, weight, rest = (random(rng, 1, 1, 12, 15) for _ in range(3))
    only = Parts(torch.zeros_like(clean), weight, rest)
    torch.testing.assert_close(noise_deviation(only).flatten(), rest.std()[None])
    # Six zeros or pixels of a side, and an average of more of those at the border.
    padded = np.pad(clean[0, 0].numpy(), 3)
    windows = [
        padded[i : i + 6, j : j + 6].mean() for i in range(13) for j in range(16)
    ]
    expected = np.mean(np.square(windows)) * weight.var() + rest.var()
    found = noise_deviation(Parts(clean, weight, rest)).item()
    assert found == pytest.approx(expected.sqrt().item())


def test_the_deviation_of_an_image_is_that_of_its_windows(rng):
    image = rng.random((11, 14, 2))
    for colour in range(2):
        each = generic_filter(image[..., colour], np.std, size=6)
        inner = each[3:-2, 3:-2]
        assert inner.shape == (6, 9)
        found = local_deviation(image)[colour]
        assert found == pytest.approx(inner.mean(), rel=1e-9)


def test_crops_come_with_the_deviation_of_their_image(rng):
    images = [scale * rng.random((33, 47, 3)) for scale in (0.1, 1)]
    noisy = Pool(*(image.astype(np.float32) for image in images))
    sampler = STAGE.batches({"noisy": noisy}, 8, 16, [0])
    y, deviation = sampler.draw(0)
    assert (y.shape, deviation.shape) == ((8, 3, 16, 16), (8, 3, 1, 1))
    strong = y.amax((1, 2, 3)) > 0.1
    assert strong.any()
    assert not strong.all()
    # Of numbers from 0 to 1; each image by one number for all of its crops.
    np.testing.assert_allclose(deviation[strong], 12**-0.5, rtol=0.06)
    np.testing.assert_allclose(deviation[~strong], 0.1 * 12**-0.5, rtol=0.06)
    assert len(deviation[:, 0].unique()) == 2
    assert torch.equal(sampler.draw(0, slice(2, 5))[1], deviation[2:5])


def test_integers_count_as_shares_of_white(rng):
    image = rng.integers(0, 256, (33, 47, 3), np.uint8)
    pools = [InMemory([("y", one)]) for one in (image, (image / 255).astype("f4"))]
    found = [STAGE.batches({"noisy": one}, 1, 16, [0]).draw(3)[1] for one in pools]
    torch.testing.assert_close(*found)


def test_crops_that_cannot_be_reflected_are_refused(rng):
    noisy = Pool(rng.random((33, 47, 3)))
    with pytest.raises(MidError, match=r"patch_size is 5, .*set it to 6 or more"):
        STAGE.batches({"noisy": noisy}, 2, 5, [0])


def test_the_stage_is_the_papers():
    told = first_stage("cvf_sid")
    assert told["options"]["noise_depth"] == 10
    assert (cvf_sid.WINDOW, len(cvf_sid.SUMS), told["options"]["again"]) == (6, 7, 0.1)


@pytest.mark.slow
def test_a_tiny_training_denoises_correlated_noise():
    stage = Split(None, around=4, noise_depth=3, head_depth=1)
    network = stage.build(SMALL | {"width": 12, "depth": 5}, 3, [1])
    training = Training(200, 2, 20, 5e-3, max_grad_norm=1, ema_decay=0)
    cpu = torch.device("cpu")
    trainer = Trainer(network, training, cpu, turns=stage.turns())
    batches = stage.batches({"noisy": pool(20)}, 2, 20, [0])
    for step in range(200):
        trainer.step(*batches.draw(step))
    losses = trainer.recent_losses()
    assert np.mean(losses[-20:]) < np.mean(losses[:5]) / 3
    before, after = squared_errors(stage.trained(network.eval()))
    assert after < before / 1.5
