"""What strangers send is refused: it executes nothing, writes nothing, stays small."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mid_config.errors import ConfigError
from mid_config.loading import load_config
from mid_config.plan import Plan
from mid_core.checkpoints import checkpoint as state
from mid_core.checkpoints.checkpoint import Checkpoints
from mid_core.checkpoints.model_file import load_model
from mid_core.datasets import dnd, matfile, survey
from mid_core.datasets.ingesting import ingest
from mid_core.errors import MidError
from mid_core.images import files as images
from mid_core.store import Store
from tests.conftest import ROOT
from tests.damaged_files import (
    CANARY,
    HEAD,
    MATS,
    MODELS,
    model,
    pickled,
    samples,
    variable,
)
from tests.damaged_images import HARMLESS, IMAGES, png, put
from tests.running import CONFIG, snakemake

CPU = torch.device("cpu")
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
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
    load_model(path, CPU)


FILES = [
    *((what, name, make, images.read_pixels) for what, (name, make) in IMAGES.items()),
    *((f"mat: {what}", "a.mat", make, read_mat) for what, make in MATS.items()),
    *((f"model: {what}", "a.safetensors", m, read_model) for what, m in MODELS.items()),
]
CASES = {what: case for what, *case in FILES}


@pytest.mark.parametrize("what", CASES)
def test_a_file_is_refused(what, theirs):
    name, make, read = CASES[what]
    put(theirs / name, make)
    before = [path.name for path in theirs.iterdir()]
    with pytest.raises(MidError) as refused:
        read(theirs / name)
    text = str(refused.value).replace(str(theirs / name), "FILE")
    assert "FILE" in text
    assert len(text.splitlines()) == 1
    assert [path.name for path in theirs.iterdir()] == before


def test_the_honest_are_read(theirs):
    (theirs / "a.mat").write_bytes(HEAD + variable(samples()))
    read_mat(theirs / "a.mat")
    (theirs / "a.safetensors").write_bytes(model())
    network, _ = load_model(theirs / "a.safetensors", CPU)
    assert network.intro.weight.sum() == 27
    (theirs / "a.png").write_bytes(png(9, 7))
    assert images.read_pixels(theirs / "a.png").shape == (7, 9, 3)


@pytest.mark.parametrize("what", HARMLESS)
def test_the_odd_are_read_as_what_they_are(what, theirs):
    make, size = HARMLESS[what]
    put(theirs / "a.png", make)
    assert images.read_pixels(theirs / "a.png").shape[:2] == size


@pytest.mark.parametrize("broken", ["refuse", "skip"])
def test_a_folder_of_all_of_them_leaves_only_a_store(broken, theirs, tmp_path, rng):
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


@pytest.mark.parametrize("links", [1, 2])
def test_links_that_lead_round_end(links, theirs):
    (theirs / "a/b").mkdir(parents=True)
    (theirs / "a/info.mat").write_bytes(b"")
    for number in range(links):
        (theirs / f"a/b/up {number}").symlink_to("../..")
    (theirs / "round").symlink_to("round")
    assert matfile.find_below(theirs, "info.mat") == [theirs / "a/info.mat"]
    problems = dnd.find({"path": theirs}).problems
    assert problems == [f"{theirs / 'a/images_srgb'} is missing: unpack it there"]


LAUGHS = "tests: [&a [x, x, x, x, x, x, x, x, x, x], " + ", ".join(
    f"&{new} [{', '.join(10 * [f'*{old}'])}]"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
CALL = "!!python/object/apply:os.system ['touch executed']"
SEND = "{pool: test, format: dnd}"
CONFIGS = [
    ("dataset: demo", "dataset: ../evil", "'dataset' cannot be '../evil'"),
    ("dataset: demo", "dataset: /tmp/evil", "'dataset' cannot be '/tmp/evil'"),
    ("dataset: demo", "dataset: a/b", "'dataset' cannot be 'a/b'"),
    ("dataset: demo", "dataset: '{x}'", "'dataset' cannot be '{x}'"),
    ("dataset: demo", "dataset: a b", "'dataset' cannot be 'a b'"),
    ("dataset: demo", 'dataset: "a\\n"', r"'dataset' cannot be 'a\n'"),
    ("dataset: demo", "dataset: ..", "'dataset' cannot be '..'"),
    ("dataset: demo", "dataset: --force", "'dataset' cannot be '--force'"),
    ("dataset: demo", f"dataset: {'a' * 300}", "a name must be up to 80 letters"),
    ("dataset: demo", f"dataset: {CALL}", "'dataset' must be of type string"),
    ("dataset: demo", CALL, "expected '<document start>'"),
    ("dataset: demo", "dataset: \0", "is no config, but something else"),
    ("  clean: {", "  ../clean: {", "'pools' cannot be '../clean'"),
    ("  clean: {", "  /clean: {", "'pools' cannot be '/clean'"),
    ("  clean: {", "  'a*b': {", "'pools' cannot be 'a*b'"),
    ("mid: {}", "../mid: {}", "'variants' cannot be '../mid'"),
    ("mid: {}", '"mid\\n": {}', r"'variants' cannot be 'mid\n'"),
    ("    unet: {", '    "evil\\n": {', r"'paper.networks' cannot be 'evil\n'"),
    ("no_mask: {", "logs: {", "holds something else; choose another name"),
    ("tests: [test]", "tests: [../test]", "'../test' must be a pool with a truth"),
    ("tests: [test]", f"submissions: {{../s: {SEND}}}", "cannot be '../s'"),
    ("tests: [test]", f"submissions: {{'{{s}}': {SEND}}}", "cannot be '{s}'"),
    ("tests: [test]", LAUGHS + "]", "holds more than 10000 values"),
    ("tests: [test]", f"tests: {600 * '['}{600 * ']'}", "is no config, but something"),
    (
        "clean: clean ",
        "clean: ../../x ",
        "names the pool '../../x', which is not under",
    ),
    ("variant: mid", "variant: ../mid", "'../mid' is asked for by a table or figure"),
    ("width: 32", "width: 1000000000", "greater than the maximum of 1000"),
    ("learning_rate: 2e-3", "learning_rate: .nan", "must be a finite number, not nan"),
    ("learning_rate: 2e-3", "learning_rate: .inf", "must be a finite number, not inf"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), CONFIGS)
def test_a_config_is_refused(right, wrong, message, theirs):
    assert right in DEMO
    path = theirs / "c.yaml"
    path.write_text(DEMO.replace(right, wrong, 1))
    with pytest.raises(ConfigError, match=re.escape(message)):
        Plan(load_config([path], SCHEMA, {}))


NOT_TEXT = {
    "pickle": pickled,
    "png": png(9, 7),
    "npy": b"\x93NUMPY\1\0v\0",
    "empty": b"",
}


@pytest.mark.parametrize("what", NOT_TEXT)
def test_what_is_no_config_is_refused(what, theirs):
    put(theirs / "c.yaml", NOT_TEXT[what])
    with pytest.raises(ConfigError, match=r"c\.yaml(, line 1:| is no | holds no )"):
        load_config([theirs / "c.yaml"], SCHEMA, {})


@pytest.mark.slow
def test_the_workflow_refuses_a_name_that_leads_out(theirs, tmp_path):
    folder = theirs / "run"
    folder.mkdir()
    run = snakemake(folder, CONFIG | {"dataset": "../../evil"}, "--dry-run")
    assert run.returncode == 1
    said = run.stdout + run.stderr
    assert "'dataset' cannot be '../../evil'" in said
    assert "Traceback" not in said
    assert {p.name for p in theirs.iterdir()} == {"run"}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["a pickle", "a numpy array of objects"])
def test_the_command_refuses_a_model_in_a_sentence(what, theirs, tmp_path):
    put(theirs / "a.npy", MODELS[what])
    put(theirs / "a.png", png(9, 7))
    code = "import sys; from mid_core.commands.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "denoise", "theirs/a.png", "theirs/b.png"]
    run = subprocess.run(
        [*command, "--model", "theirs/a.npy", "--device", "cpu"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("Error: theirs/a.npy is not a model that this project")
    assert len(run.stderr.splitlines()) == 1
    assert {path.name for path in theirs.iterdir()} == {"a.npy", "a.png"}


def peak() -> float:
    """Megabytes that this process has held at most (proc(5))."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def print_growth(folder: str) -> None:
    """Read each case in this process; print by how many megabytes it grew."""
    grown = {}
    for number, (what, (name, _, read)) in enumerate(CASES.items()):
        # The kernel forgets the peak so far.
        Path("/proc/self/clear_refs").write_text("5")
        before = peak()
        with pytest.raises(MidError):
            read(Path(folder, str(number), name))
        grown[what] = peak() - before
    print(json.dumps(grown))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak")
def test_no_file_takes_much_memory(theirs):
    for number, (name, make, _) in enumerate(CASES.values()):
        (theirs / str(number)).mkdir()
        put(theirs / str(number) / name, make)
    code = f"from tests.test_damaged_files import print_growth; print_growth({str(theirs)!r})"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    grown = json.loads(run.stdout)
    assert len(grown) == len(CASES)
    assert {what: mb for what, mb in grown.items() if mb > MEGABYTES} == {}
    print(f"{len(grown)} files, {max(grown.values()):.0f} MB more at most")


def test_a_state_of_another_format_is_named(theirs, monkeypatch, caplog):
    settings = {"seed": 3}
    monkeypatch.setattr(state, "FORMAT", 0)
    old = Checkpoints(theirs, settings)
    old.save({"step": 7})
    monkeypatch.undo()
    new = Checkpoints(theirs, settings)
    assert new.load() is None
    assert "checkpoint.pt, at step 7, is not used" in caplog.text
    assert f"format (0, now {state.FORMAT})" in caplog.text
    old.folder.rename(new.folder)
    with pytest.raises(MidError, match=rf"format \(0, now {state.FORMAT}\)"):
        new.load()
