import json

import pytest
import torch
from safetensors.torch import save_file

from mid_core.checkpoints.model_file import load_model, save_model
from mid_core.errors import MidError
from mid_core.methods import pixel_shuffle
from tests.conftest import CARD, TINY

CPU = torch.device("cpu")


def test_a_model_comes_back_with_its_card(tmp_path, network, rng):
    path = tmp_path / "model.safetensors"
    digest = save_model(path, network, CARD)
    assert len(digest) == 64
    assert save_model(path, network, CARD) == digest
    loaded, card = load_model(path, CPU)
    assert card == CARD
    assert not loaded.training
    network.set_patch_size(16)
    x = torch.tensor(rng.random((1, 3, 51, 37)), dtype=torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(loaded(x), network(x), rtol=0, atol=0)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
    # The card beside it, which rules declare, stands for it.
    again, card = load_model(tmp_path / "model.json", CPU)
    assert card == CARD
    torch.testing.assert_close(again.state_dict(), loaded.state_dict(), rtol=0, atol=0)


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


def test_a_model_of_the_first_release_loads(tmp_path, rng):
    # Names, shapes and card as version 0.1.0 wrote them, spelled out.
    block = {
        "norm1.weight": (1,), "norm1.bias": (1,),
        "conv1.weight": (2, 1, 1, 1), "conv1.bias": (2,),
        "conv2.weight": (2, 1, 3, 3), "conv2.bias": (2,),
        "sca.1.weight": (1, 1, 1, 1), "sca.1.bias": (1,),
        "conv3.weight": (1, 1, 1, 1), "conv3.bias": (1,),
        "norm2.weight": (1,), "norm2.bias": (1,),
        "conv4.weight": (2, 1, 1, 1), "conv4.bias": (2,),
        "conv5.weight": (1, 1, 1, 1), "conv5.bias": (1,),
        "beta": (1, 1, 1, 1), "gamma": (1, 1, 1, 1),
    }  # fmt: skip
    shapes = {f"middle_blks.0.{name}": shape for name, shape in block.items()}
    shapes |= {"intro.weight": (1, 3, 3, 3), "intro.bias": (1,)}
    shapes |= {"ending.weight": (3, 1, 3, 3), "ending.bias": (3,)}
    weights = {
        name: torch.tensor(rng.normal(size=shape), dtype=torch.float32)
        for name, shape in shapes.items()
    }
    network = {"name": "nafnet", "width": 1, "encoder": [], "middle": 1, "decoder": []}
    card = {
        "channels": 3,
        "clean": "c" * 64,
        "clip": False,
        "made_by": {"stage": "train_round", "version": 2},
        "masking": {"as_input": False, "fill": 0.0, "per": "pixel", "mask_ratio": 0.8},
        "network": network | {"pixel_unshuffle": 1},
        "noise": "0" * 64,
        "parameters": 96,
        "patch_size": 64,
        "pool": "clean",
        "round": 0,
        "seed": 0,
        "training": {"batch_size": 32, "iterations": 200, "patch_size": 64},
    }
    path = tmp_path / "model.safetensors"
    save_file(weights, path, metadata={"mid": json.dumps(card, sort_keys=True)})
    loaded, found = load_model(path, CPU)
    assert found == card
    for name, tensor in loaded.state_dict().items():
        assert torch.equal(tensor, weights[name])
    assert sum(p.numel() for p in loaded.parameters()) == sum(
        w.numel() for w in weights.values()
    )


def test_a_model_is_used_as_its_method_says(tmp_path, network):
    answer = {"does": "pixel_shuffle.ByStride", "stride": 3, "refinements": 0}
    path = tmp_path / "model.safetensors"
    save_model(path, network, CARD | {"answer": answer | {"share": 0}})
    used, card = load_model(path, CPU)
    bare, _ = load_model(path, CPU, bare=True)
    assert card["answer"]["stride"] == used.stride == 3
    network.set_patch_size(16)
    x = torch.rand(1, 3, 27, 33, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(pixel_shuffle.sub_images(x, 3))
        found = pixel_shuffle.sub_images(used(x), 3)
        assert not torch.equal(used(x), bare(x))
        torch.testing.assert_close(bare(x), network(x), rtol=0, atol=0)
    assert not used.training
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
