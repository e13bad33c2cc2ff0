"""Patches taken, grouped and put back, against plain loops."""

import numpy as np
import pytest

from mid_core.methods.patch_groups import (
    grouped,
    mean_of_groups,
    mean_within,
    pixels,
    planes,
    principal,
    some_columns,
    total_of_all,
)


def patch(x, row, column, side):
    return x[:, row : row + side, column : column + side].ravel()


def all_patches(x, side):
    high, wide = (length - side + 1 for length in x.shape[1:])
    return {(i, j): patch(x, i, j, side) for i in range(high) for j in range(wide)}


@pytest.fixture
def image(rng):
    return rng.random((3, 13, 17)).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 40, 3), (41, 2, 1), (12, 15, 3)])
def test_planes_are_large_enough_and_undone(rng, shape):
    y = rng.random(shape).astype(np.float32)
    x = planes(y, 8)
    assert x.shape == (shape[2], max(8, shape[0]), max(8, shape[1]))
    np.testing.assert_array_equal(pixels(x, y), y)


def test_patches_are_spread_over_the_image(image):
    found = some_columns(image, 4, 10**6)
    expected = np.stack(list(all_patches(image, 4).values()), axis=1)
    np.testing.assert_array_equal(found, expected)
    few = some_columns(image, 4, 5)
    np.testing.assert_array_equal(few[:, [0, -1]], expected[:, [0, -1]])
    assert few.shape == (48, 5)


@pytest.mark.parametrize("at_once", [1, 1 << 20])
def test_estimates_of_all_patches_are_added_up(image, monkeypatch, at_once):
    monkeypatch.setattr("mid_core.methods.patch_groups._AT_ONCE", at_once)
    expected, count = np.zeros(image.shape), np.zeros(image.shape[1:])
    for (i, j), own in all_patches(image, 4).items():
        expected[:, i : i + 4, j : j + 4] += np.square(own).reshape(3, 4, 4)
        count[i : i + 4, j : j + 4] += 1
    total, weight = total_of_all(image, 4, np.square)
    np.testing.assert_allclose(total, expected, rtol=1e-5)
    np.testing.assert_array_equal(weight, count)


@pytest.mark.parametrize("side", [3, 4])
def test_means_within_patches(image, side):
    found = mean_within(image, side)
    for (i, j), own in all_patches(image, side).items():
        expected = own.reshape(3, -1).mean(axis=1)
        np.testing.assert_allclose(found[:, i, j], expected, rtol=1e-5)


@pytest.mark.parametrize(("step", "reach"), [(1, 4), (3, 2), (5, 40)])
def test_a_group_is_what_is_most_alike_in_its_window(image, step, reach):
    patches, count = all_patches(image, 4), 6
    groups = np.concatenate(list(grouped(image, 4, step, count, reach)))
    high, wide = 13 - 3, 17 - 3
    keys = {(i, j) for i in [*range(0, high - 1, step), high - 1] for j in range(wide)}
    keys = {(i, j) for i, j in keys if j % step == 0 or j == wide - 1}
    assert {divmod(int(one), 17) for one in groups[:, 0]} >= keys
    assert len(groups) <= len(keys) + 2 * (high + wide)
    for members in groups:
        key = divmod(int(members[0]), 17)
        # Windows at the border are as large as others.
        first = [
            min(max(0, k - reach), max(0, n - 2 * reach - 1))
            for k, n in zip(key, (high, wide), strict=True)
        ]
        unlike = {
            place: np.square(own - patches[key]).sum()
            for place, own in patches.items()
            if all(f <= p <= f + 2 * reach for f, p in zip(first, place, strict=True))
        }
        expected = sorted(unlike, key=unlike.get)[:count]
        assert [divmod(int(one), 17) for one in members] == expected


def test_a_group_is_as_large_as_there_are_patches(rng):
    x = rng.random((1, 6, 7)).astype(np.float32)
    groups = np.concatenate(list(grouped(x, 5, 4, 90, 30)))
    assert groups.shape == (4, 6)
    assert all(len(set(members)) == 6 for members in groups)


def test_the_mean_of_groups_is_weighted(image, rng):
    groups = list(grouped(image, 4, 3, 5, 6))
    weights = rng.random(image[0].size)

    def estimate(patches, places):
        assert patches.shape == (len(places), 48, 5)
        return patches[..., :2] ** 2 + places[:, None, :2], weights[places[:, :2]]

    total, weight = np.zeros(image.shape), np.zeros(image.shape[1:])
    for members in np.concatenate(groups):
        for place in members[:2]:
            i, j = divmod(int(place), 17)
            own = patch(image, i, j, 4).reshape(3, 4, 4) ** 2 + place
            total[:, i : i + 4, j : j + 4] += own * weights[place]
            weight[i : i + 4, j : j + 4] += weights[place]
    assert weight.all(), "some pixel is in no patch"
    found = mean_of_groups(image, 4, groups, estimate)
    np.testing.assert_allclose(found, total / weight, rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 9, 20), (2, 20, 9)])
def test_principal_components_are_singular_vectors(rng, shape):
    own = rng.normal(0, 1, shape).astype(np.float32)
    own -= own.mean(axis=-1, keepdims=True)
    basis, values, weights = principal(own)
    expected = np.linalg.svd(own.astype(float), compute_uv=False)[:, ::-1]
    np.testing.assert_allclose(values, expected, atol=2e-3 * expected.max())
    np.testing.assert_allclose(basis @ weights, own, atol=1e-4)
    products = basis.swapaxes(1, 2) @ basis
    # Less their mean, patches have one direction fewer than there are patches.
    inside = slice(int(shape[1] > shape[2]), None)
    expected = np.broadcast_to(
        np.eye(9)[inside, inside], products[:, inside, inside].shape
    )
    np.testing.assert_allclose(products[:, inside, inside], expected, atol=1e-4)


def test_groups_without_any_difference_have_no_components():
    for shape in ((1, 4, 9), (1, 9, 4)):
        basis, values, weights = principal(np.zeros(shape, np.float32))
        assert not values.any()
        assert not (basis @ weights).any()
