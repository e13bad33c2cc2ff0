"""`mid verify` finds what was changed after it was made, and names it."""

import json

import numpy as np
import pytest

from mid_core.checkpoints.model_file import save_model
from mid_core.commands import verify as command
from mid_core.errors import MidError
from mid_core.jobs.verification import verify
from mid_core.networks import build
from mid_core.store import StoreWriter, write_json
from tests.conftest import CARD, TINY


@pytest.fixture
def results(tmp_path, rng):
    with StoreWriter(tmp_path / "data/clean/image.zarr", "image") as store:
        store.append("a", rng.integers(0, 256, (21, 33, 3), np.uint8))
        store.attributes = {"made_by": {"stage": "ingest", "version": 1}}
    folder = tmp_path / "mid/round_0"
    folder.mkdir(parents=True)
    digest = save_model(folder / "model.safetensors", build(TINY), CARD)
    write_json(folder / "model.json", CARD | {"sha256": digest})
    return tmp_path


def flip(path, place=0.5):
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 16
    path.write_bytes(content)


def test_what_is_as_it_was_made_is_sound(results):
    assert verify([results]) == (2, [])
    for path in ("data/clean/image.zarr", "data/clean/image.manifest.json"):
        assert verify([results / path]) == (1, [])
    for path in ("mid/round_0/model.safetensors", "mid/round_0/model.json"):
        assert verify([results / path]) == (1, [])


def test_damage_is_named_with_the_rule_that_mends_it(results, capsys):
    flip(results / "data/clean/image.zarr/image/c/0/0/0/0")
    flip(results / "mid/round_0/model.safetensors", 0.9)

    class Arguments:
        paths = (str(results),)

    assert command.run(Arguments) == 1
    said = capsys.readouterr().out.splitlines()
    assert "image.zarr/image/c/0/0/0/0 is damaged" in said[0]
    assert "rule ingest" in said[0]
    assert "model.safetensors is damaged" in said[1]
    assert "rule train_round" in said[1]
    assert said[2] == "2 checked, 2 problem(s)"


def test_a_store_that_no_rule_made_is_verified_too(tmp_path):
    with StoreWriter(tmp_path / "mine.zarr", "noise") as store:
        store.append("a", np.zeros((5, 7, 3), np.float16))
    flip(tmp_path / "mine.zarr/zarr.json")
    _, (said,) = verify([tmp_path / "mine.zarr"])
    assert "write it again" in said


def test_what_is_missing_or_unfinished_is_named(results):
    (results / "data/clean/image.manifest.json").unlink()
    card = results / "mid/round_0/model.json"
    made = json.loads(card.read_text())
    del made["sha256"]
    card.write_text(json.dumps(made))
    (_, problems) = verify([results])
    assert "image.manifest.json is not there" in problems[0]
    assert f"{card} is damaged" in problems[1]
    (results / "mid/round_0/model.safetensors").unlink()
    assert "model.safetensors is missing" in verify([card])[1][0]
    (results / "empty").mkdir()
    with pytest.raises(MidError, match="has no store and no model"):
        verify([results / "empty"])
