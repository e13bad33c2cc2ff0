"""The examples in docstrings."""

import doctest
from importlib import import_module

import pytest

from tests.conftest import ROOT

FILES = [*ROOT.glob("mid_core/**/*.py"), *ROOT.glob("mid_config/*.py")]
NAMES = [
    str(file.relative_to(ROOT).with_suffix("")).replace("/", ".")
    for file in sorted(FILES)
    if ">>>" in file.read_text()
]


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_do_what_they_say(name):
    found = doctest.testmod(import_module(name))
    assert found.attempted
    assert not found.failed
