"""Numbers as text: as distinct as the numbers, and the same for the same number."""

import numpy as np
import pytest

from mid_config.numbers import decimal, percent, percent_name
from mid_config.rounds import awgn_name

# Neighbours in float64, and what a rounded text would take for one number.
CLOSE = [0, 1e-9, 0.004, 0.05, 0.1, 0.12, 0.124, 0.3, 0.1 + 0.2, np.nextafter(0.3, 0)]


@pytest.mark.parametrize("write", [decimal, percent, percent_name])
def test_two_numbers_have_two_texts(write):
    assert len({write(float(one)) for one in CLOSE}) == len(CLOSE)
    assert write(1) == write(1.0)


def test_percent_names_begin_with_two_digits():
    named = {0: "00", 0.05: "05", 0.8: "80", 1: "100", 0.004: "00_4", 0.124: "12_4"}
    assert {ratio: percent_name(ratio) for ratio in named} == named


def test_banks_of_close_sigmas_have_two_names():
    bank = {"count": 4, "size": 64, "seed": 0}
    names = {awgn_name(bank | {"sigma": [5, high]}) for high in (50, 50.00001)}
    assert names == {
        "sigma_5-50_4x64px_seed_0",
        "sigma_5-50.00001_4x64px_seed_0",
    }
