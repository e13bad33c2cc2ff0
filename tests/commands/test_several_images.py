"""``mid denoise`` of several images, folders and patterns: names, and what is there."""

import threading
import time

import pytest

from mid_core.checkpoints.model_file import save_model
from mid_core.commands import denoise_files as module
from mid_core.commands import estimators
from mid_core.commands.cli import main
from mid_core.commands.denoise_files import denoise_files
from mid_core.commands.pairing import pair
from mid_core.errors import MidError
from mid_core.networks import build
from tests.commands.test_denoise_files import DNCNN, TILE_PX
from tests.conftest import CARD, stir
from tests.pictures import independent_read, noise, save_pages, save_pillow


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A model and a few images, in the current folder."""
    save_model(
        tmp_path / "model.safetensors", stir(build(DNCNN)), CARD | {"network": DNCNN}
    )
    for name in (
        "a.jpg",
        "b.png",
        "in/c.png",
        "in/d.jpg",
        "more/x1.tif",
        "more/x2.tif",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_pillow(tmp_path / name, noise(3))
    (tmp_path / "in/notes.txt").touch()
    (tmp_path / "more/y.png").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def mid(monkeypatch):
    def run(*arguments):
        options = ("--num-masks", "1", "--model", "model.safetensors")
        monkeypatch.setattr("sys.argv", ["mid", "denoise", *options, *arguments])
        return main()

    return run


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


SEVERAL = ("a.jpg", "b.png", "in/", "more/*.tif")


@pytest.mark.parametrize(
    "arguments",
    [
        (*SEVERAL, "out/", "--suffix", "_new"),
        (*SEVERAL, "--suffix", "_new", "out/"),
        ("a.jpg", "--seed", "0", *SEVERAL[1:], "--suffix", "_new", "out/"),
    ],
)
def test_images_folders_and_patterns_are_answered_in_one_folder(photos, mid, arguments):
    mid(*arguments)
    assert sorted(contents(photos / "out")) == [
        *("a_new.jpg", "b_new.png", "c_new.png", "d_new.jpg"),
        *("x1_new.tif", "x2_new.tif"),
    ]


def test_an_answer_is_the_same_alone_and_among_others(photos, mid):
    mid(*SEVERAL, "out")
    for name in ("a.jpg", "b.png", "in/c.png", "more/x2.tif"):
        mid(name, "alone/")
    for name, content in contents(photos / "alone").items():
        assert content == (photos / "out" / name).read_bytes()


def test_a_name_with_the_signs_of_a_pattern_is_that_file(photos, mid):
    for name in ("a[1].png", "a1.png"):
        save_pillow(photos / name, noise(3))
    mid("a[1].png", "out/")
    assert list(contents(photos / "out")) == ["a[1].png"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("a.jpg", "same/a.jpg", "out"), r"a\.jpg and same/a\.jpg would both be out/a"),
        (("in", "same", "out"), r"in/c\.png and same/c\.png would both be out/c"),
        (("a.jpg", "in", "b.png"), r"b\.png is called like an image .* need a folder"),
        (("a.jpg", "in", "new.png"), r"new\.png is called like an image"),
        (("in", "model.safetensors"), r"model\.safetensors is .*a file"),
        (("a.jpg", "no.png", "out"), r"there is no image or folder at no\.png"),
        (("a.jpg", "more/*.bmp", "out"), r"no image that matches '\*\.bmp'"),
        (("a.jpg", "no/*.png", "out"), r"no is no folder"),
        (("a.jpg", "new.png", "--suffix", "_x"), r"new\.png names a file: name a fold"),
        (("a.jpg", "in", "in"), r"in/c\.png is in/c\.png itself, which is read"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_computed(
    photos, mid, monkeypatch, arguments, reason
):
    (photos / "same").mkdir()
    for name in ("a.jpg", "c.png"):
        save_pillow(photos / "same" / name, noise(3))
    monkeypatch.setattr(module, "by_network", None)
    with pytest.raises(SystemExit, match=reason):
        mid(*arguments)
    assert not (photos / "out").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--suffix", "../x"), "has a slash: give a part of a name"),
        (("--overwrite", "--skip-existing"), "not allowed with argument"),
        (("--jobs", "0"), "must be at least 1"),
        (("--job", "1", "--none", "x"), "unrecognized arguments: --none x"),
    ],
)
def test_senseless_options_are_refused(photos, mid, options, reason, capsys):
    with pytest.raises(SystemExit):
        mid("a.jpg", "out", *options)
    assert reason in capsys.readouterr().err


def test_an_image_given_twice_is_denoised_once(photos):
    twice = [photos / "in", photos / "in/../in/c.png", photos / "in/c.png"]
    assert [file.name for file, _ in pair(twice, photos / "out")] == ["c.png", "d.jpg"]


@pytest.mark.parametrize("target", ["out/c.png", "out"])
def test_an_answer_that_is_there_is_replaced_only_if_asked(photos, mid, target):
    (photos / "out").mkdir()
    (photos / "out/c.png").write_bytes(b"mine")
    with pytest.raises(SystemExit, match=r"out/c\.png is there already: --overwrite"):
        mid("in/c.png", target)
    mid("in/c.png", target, "--skip-existing")
    assert contents(photos / "out") == {"c.png": b"mine"}
    mid("in/c.png", target, "--overwrite")
    assert independent_read(photos / "out/c.png").shape == noise(3).shape


def test_the_last_photo_of_a_shell_s_pattern_is_not_overwritten(photos, mid):
    before = (photos / "more/x2.tif").read_bytes()
    with pytest.raises(SystemExit, match=r"x2\.tif is there already"):
        mid("more/x1.tif", "more/x2.tif")
    assert (photos / "more/x2.tif").read_bytes() == before


def test_only_what_has_no_answer_is_denoised(photos, mid, caplog):
    caplog.set_level("INFO")
    (photos / "out").mkdir()
    (photos / "out/d.jpg").write_bytes(b"mine")
    mid("a.jpg", "in", "out", "--skip-existing")
    assert (photos / "out/d.jpg").read_bytes() == b"mine"
    assert sorted(contents(photos / "out")) == ["a.jpg", "c.png", "d.jpg"]
    assert "1 answer(s) are there already and stay" in caplog.text


def test_answers_beside_their_images_are_not_denoised_again(photos, mid):
    mid("in", "in", "--suffix", "_new")
    first = contents(photos / "in")
    assert sorted(set(first) - {"notes.txt"}) == [
        *("c.png", "c_new.png", "d.jpg", "d_new.jpg"),
    ]
    save_pillow(photos / "in/e.png", noise(3))
    mid("in", "in", "--suffix", "_new", "--skip-existing")
    after = contents(photos / "in")
    assert set(after) - set(first) == {"e.png", "e_new.png"}
    assert {name: after[name] for name in first} == first


@pytest.fixture
def meeting(monkeypatch):
    """Every image waits at its beginning until so many are there together."""

    def wait_for(count):
        barrier, begin = threading.Barrier(count, timeout=60), module.header

        def header(file):
            barrier.wait()
            return begin(file)

        monkeypatch.setattr(module, "header", header)

    return wait_for


def test_several_at_a_time_give_the_same_answers(photos, meeting, caplog):
    caplog.set_level("INFO")
    save_pages(photos / "p.tif", [noise(3), noise(3)[::-1]])
    (photos / "broken.png").write_bytes(b"no image")
    names = ("a.jpg", "broken.png", "b.png", "p.tif")

    def answers(jobs):
        options = {"num_masks": 2, "tile": TILE_PX, "jobs": jobs}
        sources, model = [photos / name for name in names], photos / "model.safetensors"
        with pytest.raises(MidError, match=r"1 of 4 failed:\n.*broken\.png"):
            denoise_files(sources, photos / f"out{jobs}", model, **options)
        return contents(photos / f"out{jobs}")

    one = answers(1)
    meeting(2)  # else the barrier breaks: it would be one at a time
    assert answers(2) == one
    assert "3 denoised in" in caplog.text


def test_a_thread_that_is_in_the_way_stops_soon(photos, monkeypatch):
    """What ends the main thread, as Ctrl-C does, ends the others at the next tile."""
    begin, long = module.header, threading.Event()

    def header(file):
        if file.name == "a.jpg":
            long.wait(60)
            raise KeyboardInterrupt
        return begin(file)

    def endless(network, report, **options):
        while True:
            long.set()
            time.sleep(0.001)
            report(0)
            yield from ()

    monkeypatch.setattr(module, "header", header)
    monkeypatch.setattr(estimators, "denoise_bands", endless)
    sources, model = [photos / "a.jpg", photos / "b.png"], photos / "model.safetensors"
    with pytest.raises(KeyboardInterrupt):
        denoise_files(sources, photos / "out", model, jobs=2)
    assert contents(photos / "out") == {}


def test_names_that_a_disk_may_confuse_go_one_after_the_other(photos, monkeypatch):
    save_pillow(photos / "B.PNG", noise(3))
    monkeypatch.setattr(module, "ThreadPoolExecutor", None)
    sources = [photos / "b.png", photos / "B.PNG"]
    denoise_files(sources, photos / "out", photos / "model.safetensors", 1, jobs=2)
    assert len(contents(photos / "out")) == 2
