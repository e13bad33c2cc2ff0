"""The examples in the docstrings of the method's files."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name", ["masking", "noise", "patches", "batches", "training", "ensemble"]
)
def test_the_examples_do_what_they_say(name):
    found = doctest.testmod(import_module(f"mid_core.{name}"))
    assert found.attempted
    assert not found.failed
