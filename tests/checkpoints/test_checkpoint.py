import random
import resource
import signal

import numpy as np
import pytest
import torch
from torch import nn

from mid_core.batches import Batches
from mid_core.checkpoints.checkpoint import Checkpoints, differences, read_checkpoint
from mid_core.checkpoints.saving import Checkpointer
from mid_core.checkpoints.trainer_state import restore, state_of
from mid_core.errors import Interrupted, MidError
from mid_core.masking import Masking
from mid_core.networks import build
from mid_core.runtime.interruption import Stop
from mid_core.runtime.lock import Lock
from mid_core.trainer import Trainer, Training
from mid_core.training import train
from tests.conftest import TINY, Pool

CPU = torch.device("cpu")
SETTINGS = {"masking": {"mask_ratio": 0.8}, "seed": 3}
STATE = {"step": 7, "weights": torch.arange(999.0)}


@pytest.fixture
def batches(rng):
    clean = rng.integers(0, 256, (41, 33, 3), dtype=np.uint8)
    noise = rng.normal(0, 0.1, (29, 37, 3)).astype(np.float16)
    return Batches(Pool(clean), Pool(noise), 2, 16, Masking([0, 0.9]), False, [0, 1])


class Forgetful(nn.Module):
    """A network that draws from torch's generator at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.dropout = nn.Conv2d(3, 3, 3, padding=1), nn.Dropout(0.3)

    def forward(self, y):
        return self.dropout(self.convolution(y))


def trainer(kind="nafnet", **changes):
    torch.manual_seed(4)
    network = build(TINY, seed=[0]) if kind == "nafnet" else Forgetful()
    settings = {
        "iterations": 23,
        "batch_size": 2,
        "patch_size": 16,
        "ema_decay": 0.9,
    } | changes
    return Trainer(network, Training(**settings), CPU)


def saving(checkpointer):
    return {"save_due": checkpointer.due, "save": checkpointer.save}


class CutAt:
    """A checkpointer that saves after one step and lets the training end there."""

    def __init__(self, states: Checkpoints, step: int) -> None:
        self.states, self.step, self.calls = states, step, 0

    def due(self) -> bool:
        self.calls += 1
        return self.calls == self.step

    def save(self, trained: Trainer) -> None:
        self.states.save(state_of(trained))
        raise Interrupted


@pytest.mark.parametrize("cut", [1, 10, 13])
@pytest.mark.parametrize(
    ("kind", "changes"),
    [("nafnet", {}), ("nafnet", {"ema_decay": 0}), ("forgetful", {})],
)
def test_a_cut_training_ends_as_an_unbroken_one(batches, tmp_path, cut, kind, changes):
    unbroken = trainer(kind, **changes)
    train(unbroken, batches, every=5)
    states = Checkpoints(tmp_path, SETTINGS)
    with pytest.raises(Interrupted):
        train(trainer(kind, **changes), batches, every=5, **saving(CutAt(states, cut)))
    resumed = trainer(kind, **changes)
    torch.manual_seed(99)
    restore(resumed, states.load())
    assert resumed.steps == cut
    train(resumed, batches, every=5)
    assert resumed.history == unbroken.history
    assert [row["step"] for row in resumed.history] == [5, 10, 15, 20, 23]
    expected = state_of(unbroken)
    for part in ("network", "average") if resumed.average else ("network",):
        for name, tensor in state_of(resumed)[part].items():
            assert torch.equal(tensor, expected[part][name]), name


def test_the_one_before_is_kept_and_takes_over_from_a_damaged_one(tmp_path, caplog):
    states = Checkpoints(tmp_path, SETTINGS)
    assert states.load() is None
    for step in (5, 6, 7):
        states.save(STATE | {"step": step})
    assert states.load()["step"] == 7
    assert sorted(p.name for p in states.folder.iterdir()) == [
        "checkpoint.previous.pt",
        "checkpoint.pt",
    ]
    newest = states.folder / "checkpoint.pt"
    newest.write_bytes(newest.read_bytes()[:-100])
    assert states.load()["step"] == 6
    assert "checkpoint.pt is damaged" in caplog.text
    # The next save must not put the damaged one in the good one's place.
    states.save(STATE | {"step": 8})
    assert read_checkpoint(states.folder / "checkpoint.previous.pt")["step"] == 6
    for path in states.folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(MidError, match=r"no state in .* can be read: delete this fold"):
        states.load()


def test_no_flipped_bit_changes_what_is_loaded(tmp_path):
    states = Checkpoints(tmp_path, SETTINGS)
    states.save(STATE)
    path = states.folder / "checkpoint.pt"
    content, chance, found = path.read_bytes(), random.Random(0), 0
    expected = read_checkpoint(path)
    for _ in range(200):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        try:
            state = read_checkpoint(path)
        except MidError:
            found += 1
            continue
        # The bit was in what the format leaves unused.
        assert torch.equal(state["weights"], expected["weights"])
        assert state["step"] == 7
        assert state["fingerprint"] == expected["fingerprint"]
    assert found > 100


def test_a_state_from_a_stranger_executes_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("touched").touch, ())

    path = tmp_path / "checkpoint.pt"
    torch.save({"fingerprint": Evil()}, path)
    with pytest.raises(MidError, match="is damaged"):
        read_checkpoint(path)
    assert not (tmp_path / "touched").exists()


def test_other_settings_start_anew_and_are_named(tmp_path, caplog):
    old = Checkpoints(tmp_path, SETTINGS)
    old.save(STATE)
    new = Checkpoints(
        tmp_path, {"masking": {"mask_ratio": 0.4, "fill": 0.5}, "seed": 3}
    )
    assert new.load() is None
    named = "masking.fill (absent, now 0.5), masking.mask_ratio (0.8, now 0.4)"
    assert f"{old.folder}/checkpoint.pt, at step 7, is not used" in caplog.text
    assert named in caplog.text
    new.save(STATE | {"step": 2})
    new.remove()
    assert Checkpoints(tmp_path, SETTINGS).load()["step"] == 7
    # Put where it does not belong, it is refused.
    old.folder.rename(new.folder)
    with pytest.raises(MidError) as refused:
        new.load()
    assert named in str(refused.value)
    assert "delete its folder to start anew" in str(refused.value)


def test_weights_of_other_settings_are_not_read_to_name_them(tmp_path, caplog):
    old = Checkpoints(tmp_path, SETTINGS)
    old.save(STATE)
    path = old.folder / "checkpoint.pt"
    content = bytearray(path.read_bytes())
    weight = content.index(np.float32(998).tobytes())
    content[weight] ^= 1
    path.write_bytes(content)
    with pytest.raises(MidError, match="is damaged"):
        read_checkpoint(path)
    assert Checkpoints(tmp_path, SETTINGS | {"seed": 4}).load() is None
    assert "at step 7, is not used, as it is of other settings: seed (3, now 4)" in (
        caplog.text
    )


def test_settings_are_compared_as_they_are_kept():
    assert differences({"a": {"b": [1, 2]}}, {"a": {"b": [1, 2]}}) == []
    assert differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 1.5}}) == [
        "a.b (1, now 1.5)",
        "c (2, now absent)",
    ]


def test_a_full_disk_leaves_the_last_good_state(tmp_path):
    states = Checkpoints(tmp_path, SETTINGS)
    states.save(STATE)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(MidError, match="the last good one is kept; make room"):
            states.save({"step": 8, "weights": torch.zeros(99_999)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [p.name for p in states.folder.iterdir()] == ["checkpoint.pt"]
    assert states.load()["step"] == 7


def test_what_is_not_finite_is_not_saved(batches, tmp_path):
    states, trained = Checkpoints(tmp_path, SETTINGS), trainer()
    step = trained.step
    # From step 4 on the loss is not a number.
    trained.step = lambda y, x: step(y * (np.nan if trained.steps == 3 else 1), x)
    with Lock(tmp_path / "lock") as lock:
        checkpointer = Checkpointer(states, lock, Stop(), minutes=0)
        with pytest.raises(MidError, match="step 4 is not finite"):
            train(trained, batches, **saving(checkpointer))
    assert states.load()["step"] == 3


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_saves_and_stops_at_the_next_step(batches, tmp_path, sign):
    states, trained = Checkpoints(tmp_path, SETTINGS), trainer()
    before = signal.getsignal(sign)

    def report(step, loss, rate):
        if step == 6:
            signal.raise_signal(sign)

    with Lock(tmp_path / "lock") as lock, Stop() as stop:
        checkpointer = Checkpointer(states, lock, stop, minutes=10)
        with pytest.raises(Interrupted, match=f"{sign.name}, after step 7 of 23"):
            train(trained, batches, report, 1, **saving(checkpointer))
    assert states.load()["step"] == 7
    assert Interrupted.status == 75
    assert signal.getsignal(sign) is before


def test_slices_of_no_time_do_a_step_each(batches, tmp_path):
    states, steps = Checkpoints(tmp_path, SETTINGS), []
    for _ in range(4):
        sliced = trainer(iterations=5)
        with Lock(tmp_path / "lock") as lock, Stop(max_seconds=0) as stop:
            checkpointer = Checkpointer(states, lock, stop, minutes=10)
            checkpointer.restore(sliced)
            with pytest.raises(Interrupted, match=r"max_seconds \(0\) are over"):
                train(sliced, batches, **saving(checkpointer))
        steps.append(sliced.steps)
    assert steps == [1, 2, 3, 4]
