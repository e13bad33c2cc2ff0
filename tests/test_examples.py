"""The examples in docstrings: the method's files, and numbers as text."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "mid_config.numbers",
        *(f"mid_core.{file}" for file in ("masking", "noise", "patches")),
        *(f"mid_core.{file}" for file in ("batches", "training", "ensemble")),
    ],
)
def test_the_examples_do_what_they_say(name):
    found = doctest.testmod(import_module(name))
    assert found.attempted
    assert not found.failed
