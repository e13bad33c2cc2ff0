"""What strangers send is refused: it executes nothing, writes nothing, stays small."""

import re
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from mid_config.errors import ConfigError
from mid_config.loading import load_config
from mid_config.plan import Plan
from mid_core.checkpoints import checkpoint
from mid_core.checkpoints.model_file import load_model
from mid_core.datasets import dnd, matfile, survey
from mid_core.datasets.finding import files_named
from mid_core.datasets.ingesting import ingest
from mid_core.errors import MidError
from mid_core.images.files import read_pixels
from mid_core.store import Store
from tests.conftest import ROOT
from tests.damaged import (
    CANARY,
    HARMLESS,
    HEAD,
    IMAGES,
    MATS,
    MODELS,
    model,
    pickled,
    png,
    put,
    samples,
    variable,
)

CPU = torch.device("cpu")
DEMO = (ROOT / "config/config.yaml").read_text()
PHOTO = matfile.Variable("InoisySRGB", ("float32",), (None, None, 3))
MEGABYTES = 64


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """A stranger's folder; nothing around it may change, but for the results."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    beside = set(tmp_path.parent.iterdir())
    yield folder
    assert not list(tmp_path.rglob(CANARY))
    assert {path.name for path in tmp_path.iterdir()} <= {"theirs", "results"}
    assert set(tmp_path.parent.iterdir()) == beside


def read_mat(path):
    """Read a photo of DND, whole and in part."""
    matfile.read_part(path, PHOTO, (slice(2), slice(2), slice(None)))
    matfile.read(path, PHOTO)


def read_model(path):
    return load_model(path, CPU)[0]


CASES = {what: (name, make, read_pixels) for what, (name, make) in IMAGES.items()}
CASES |= {f"mat: {what}": ("a.mat", make, read_mat) for what, make in MATS.items()}
CASES |= {
    f"model: {what}": ("a.safetensors", make, read_model)
    for what, make in MODELS.items()
}


@contextmanager
def little_memory():
    """See that the process grows by few megabytes, where Linux tells (proc(5))."""

    def peak():
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    if sys.platform != "linux":
        yield
        return
    # The kernel forgets the peak so far.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    yield
    assert peak() - before < MEGABYTES


@pytest.mark.parametrize("what", CASES)
def test_a_file_is_refused(what, theirs):
    name, make, read = CASES[what]
    put(theirs / name, make)
    before = [path.name for path in theirs.iterdir()]
    with little_memory(), pytest.raises(MidError) as refused:
        read(theirs / name)
    text = str(refused.value).replace(str(theirs / name), "FILE")
    assert "FILE" in text
    assert len(text.splitlines()) == 1
    assert [path.name for path in theirs.iterdir()] == before


def test_the_honest_are_read(theirs):
    put(theirs / "a.mat", HEAD + variable(samples()))
    read_mat(theirs / "a.mat")
    put(theirs / "a.safetensors", model())
    assert read_model(theirs / "a.safetensors").intro.weight.sum() == 27


@pytest.mark.parametrize("what", HARMLESS)
def test_the_odd_are_read_as_what_they_are(what, theirs):
    make, size = HARMLESS[what]
    put(theirs / "a.png", make)
    assert read_pixels(theirs / "a.png").shape[:2] == size


@pytest.mark.parametrize("broken", ["refuse", "skip"])
def test_a_folder_of_all_of_them_leaves_only_a_store(broken, theirs, tmp_path):
    put(theirs / "honest.png", png(9, 7))
    for number, (name, make) in enumerate(IMAGES.values()):
        put(theirs / f"{number}{name}", make)
    (theirs / "up").symlink_to("..")
    (theirs / "up too").symlink_to(theirs)
    settings = {"reader": "folders", "path": "theirs", "broken": broken}
    found = survey(settings, None, "image")
    assert not found.problems
    path = tmp_path / "results/data/p/image.zarr"
    if broken == "refuse":
        with pytest.raises(MidError) as refused:
            ingest(found.items, settings, "image", path, 1, threads=2)
        listed = str(refused.value)
        with pytest.raises(MidError, match="is unfinished"):
            Store(path)
    else:
        ingest(found.items, settings, "image", path, 1, threads=2)
        listed = Store(path).attributes["left_out"]
        assert Store(path).names == ["honest.png"]
    for number, (name, make) in enumerate(IMAGES.values()):
        # Folders are not looked into, as the pattern has none.
        assert (f"{number}{name}" in listed) == (make is not Path.mkdir)


def test_links_that_lead_round_end(theirs):
    (theirs / "a/b").mkdir(parents=True)
    put(theirs / "a/info.mat", b"")
    for name in ("a/b/up", "a/b/up too"):
        (theirs / name).symlink_to("../..")
    (theirs / "round").symlink_to("round")
    assert files_named("info.mat", theirs) == [theirs / "a/info.mat"]
    problems = dnd.find({"path": theirs}).problems
    assert problems == [f"{theirs / 'a/images_srgb'} is missing: unpack it there"]


LAUGHS = "tests: [&a [x, x, x, x, x, x, x, x, x, x], " + ", ".join(
    f"&{new} [{', '.join(10 * [f'*{old}'])}]"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
CALL = "!!python/object/apply:os.system ['touch executed']"
SEND = "{pool: test, format: dnd}"
NAMES = ("../evil", "/tmp/evil", "a/b", "{x}", "a b", r"a\n", "..", "--force")
# What is replaced in the demo's config, by what, and what is said of it.
CONFIGS = [
    *(
        ("dataset: demo", f'dataset: "{n}"', f"'dataset' cannot be '{n}'")
        for n in NAMES
    ),
    ("dataset: demo", f"dataset: {'a' * 300}", "a name must be up to 80 letters"),
    ("dataset: demo", f"dataset: {CALL}", "'dataset' must be of type string"),
    ("dataset: demo", CALL, "expected '<document start>'"),
    ("dataset: demo", "dataset: \0", "is no config, but something else"),
    ("  clean: {", "  ../clean: {", "'pools' cannot be '../clean'"),
    ("  clean: {", "  'a*b': {", "'pools' cannot be 'a*b'"),
    ("masked: {}", "../masked: {}", "'variants' cannot be '../masked'"),
    ("    unet: {", '    "evil\\n": {', r"'paper.networks' cannot be 'evil\n'"),
    ("no_mask: {", "logs: {", "would be results/<dataset>/logs of the workflow"),
    ("tests: [test]", "tests: [../test]", "'../test' must be a pool with a truth"),
    ("tests: [test]", f"submissions: {{../s: {SEND}}}", "cannot be '../s'"),
    ("tests: [test]", LAUGHS + "]", "holds more than 200000 values"),
    ("tests: [test]", f"tests: {600 * '['}{600 * ']'}", "is no config, but something"),
    ("clean: clean ", "clean: ../../x ", "names the pool '../../x', which is not un"),
    ("variant: mid", "variant: ../mid", "'../mid' is asked for by a table or figure"),
    ("width: 32", "width: 1000000000", "greater than the maximum of 1000"),
    ("learning_rate: 2e-3", "learning_rate: .nan", "must be a finite number, not nan"),
    ("learning_rate: 2e-3", "learning_rate: .inf", "must be a finite number, not inf"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), CONFIGS)
def test_a_config_is_refused(right, wrong, message, theirs):
    assert right in DEMO
    put(theirs / "c.yaml", DEMO.replace(right, wrong, 1).encode())
    with pytest.raises(ConfigError, match=re.escape(message)):
        Plan(load_config([theirs / "c.yaml"], {}))


@pytest.mark.parametrize("make", [pickled, png(9, 7), b"\x93NUMPY\1\0v\0", b""])
def test_what_is_no_config_is_refused(make, theirs):
    put(theirs / "c.yaml", make)
    with pytest.raises(ConfigError, match=r"c\.yaml(, line 1:| is no | holds no )"):
        load_config([theirs / "c.yaml"], {})


def test_a_checkpoint_of_another_format_is_named(theirs, monkeypatch, caplog):
    monkeypatch.setattr(checkpoint, "FORMAT", 0)
    old = checkpoint.Checkpoints(theirs, {"seed": 3})
    old.save({"step": 7})
    monkeypatch.undo()
    new = checkpoint.Checkpoints(theirs, {"seed": 3})
    assert new.load() is None
    assert "checkpoint.pt, at step 7, is not used" in caplog.text
    said = f"format (0, now {checkpoint.FORMAT})"
    assert said in caplog.text
    old.folder.rename(new.folder)
    with pytest.raises(MidError, match=re.escape(said)):
        new.load()
