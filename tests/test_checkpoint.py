import json

import pytest
import torch
from safetensors.torch import save_file

from mid_core.checkpoint import load_model, save_model
from mid_core.errors import MidError
from tests.conftest import TINY

CARD = {"network": TINY, "masking": {"ratio": 0.3}, "patch": 16, "channels": 3}
CPU = torch.device("cpu")


def test_a_model_comes_back_with_its_card(tmp_path, network, rng):
    path = tmp_path / "model.safetensors"
    digest = save_model(path, network, CARD)
    assert len(digest) == 64
    assert save_model(path, network, CARD) == digest
    loaded, card = load_model(path, CPU)
    assert card == CARD
    assert not loaded.training
    network.set_patch(16)
    x = torch.tensor(rng.random((1, 3, 51, 37)), dtype=torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(loaded(x), network(x), rtol=0, atol=0)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_what_is_no_model_is_refused(tmp_path, network):
    with pytest.raises(MidError, match="there is no model at"):
        load_model(tmp_path / "none.safetensors", CPU)
    text = tmp_path / "text.safetensors"
    text.write_text("hello")
    with pytest.raises(MidError, match="is not a model that this project wrote"):
        load_model(text, CPU)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": torch.zeros(2)}, foreign)
    with pytest.raises(MidError, match="is not a model that this project wrote"):
        load_model(foreign, CPU)
    unfit = tmp_path / "unfit.safetensors"
    wide = {**CARD, "network": {**TINY, "width": 4}}
    weights = {name: w.contiguous() for name, w in network.state_dict().items()}
    save_file(weights, unfit, metadata={"mid": json.dumps(wide)})
    with pytest.raises(MidError, match="does not fit its network"):
        load_model(unfit, CPU)
