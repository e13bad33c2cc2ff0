import subprocess
import sys

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import yaml

from mid_core.checkpoints.model_file import save_model
from mid_core.commands.cli import main
from mid_core.networks import build
from tests.conftest import CARD, ROOT, TINY, stir
from tests.pictures import save_pages
from tests.running import CONFIG


@pytest.fixture
def model(tmp_path, network):
    path = tmp_path / "model.safetensors"
    save_model(path, network, CARD)
    return path


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["mid", *map(str, arguments)])
    return main()


def test_help_loads_neither_torch_nor_zarr_nor_snakemake():
    code = "import sys; from mid_core.commands.cli import main\n"
    code += "try: main()\nexcept SystemExit: print('loaded', *sys.modules)"
    command = [sys.executable, "-c", code, "--help"]
    told, _, loaded = subprocess.check_output(command, text=True).partition("loaded ")
    assert "denoise a file or a folder of images" in told
    assert not set(loaded.split()) & {"torch", "zarr", "snakemake", "numpy"}


def test_it_is_a_module_of_python_too():
    command = [sys.executable, "-m", "mid_core"]
    said = subprocess.check_output([*command, "workflow"], text=True)
    assert said == f"{ROOT}\n"
    command += ["nonsense"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith("usage: mid ")


@pytest.mark.parametrize("shape", [(37, 51, 3), (1, 1, 3)])
def test_an_image_comes_back_under_its_name(shape, model, tmp_path, monkeypatch, rng):
    iio.imwrite(tmp_path / "a.jpg", rng.integers(0, 256, shape, dtype=np.uint8))
    run(monkeypatch, "denoise", tmp_path / "a.jpg", tmp_path / "out", "--model", model)
    assert iio.imread(tmp_path / "out/a.jpg").shape == shape


def test_a_folder_goes_on_past_a_broken_file(model, tmp_path, monkeypatch, rng):
    image = rng.integers(0, 256, (21, 34, 3), dtype=np.uint8)
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / "in").mkdir(exist_ok=True)
        iio.imwrite(tmp_path / "in" / name, image)
    broken = tmp_path / "in/b.png"
    broken.write_bytes(broken.read_bytes()[:-40])
    with pytest.raises(SystemExit, match=r"1 of 3 failed:\n.*b\.png"):
        run(monkeypatch, "denoise", tmp_path / "in", tmp_path / "out", "--model", model)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]


def test_a_stack_comes_back_whole_or_not_at_all(model, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    pages = np.full((3, 21, 34), 30_000, np.uint16)
    save_pages(tmp_path / "in/a.tif", pages)
    save_pages(tmp_path / "in/b.tif", pages)
    last = (tmp_path / "in/b.tif").stat().st_size - 21 * 34 * 2
    with (tmp_path / "in/b.tif").open("r+b") as file:
        file.truncate(last + 100)  # in the pixels of the last page
    with pytest.raises(SystemExit, match=r"1 of 2 failed:\n.*b\.tif"):
        run(monkeypatch, "denoise", tmp_path / "in", tmp_path / "out", "--model", model)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.tif"]
    after = tifffile.imread(tmp_path / "out/a.tif")
    assert (after.shape, after.dtype) == ((3, 21, 34), np.uint16)
    assert (after[0] != after[1]).any()  # each page has masks of its own
    arguments = (tmp_path / "in/a.tif", tmp_path / "a.png", "--model", model)
    with pytest.raises(SystemExit, match=r"a\.png cannot be written: .*hold pages"):
        run(monkeypatch, "denoise", *arguments)


def test_masks_and_seed_decide_the_answer(model, tmp_path, monkeypatch, rng):
    iio.imwrite(tmp_path / "a.png", rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))

    def answer(*options):
        out = tmp_path / "b.png"
        options = ("--overwrite", "--model", model, *options)
        run(monkeypatch, "denoise", tmp_path / "a.png", out, *options)
        return iio.imread(out)

    np.testing.assert_array_equal(answer(), answer("--tile", "256"))
    assert (answer() != answer("--seed", "1")).any()
    assert (answer() != answer("--num-masks", "2")).any()
    assert (answer() != answer("--mask-ratio", "0")).any()


@pytest.mark.parametrize(
    "options",
    [("--num-masks", "0"), ("--mask-ratio", "1.5"), ("--tile", "8"), ("--seed", "-1")],
)
def test_senseless_numbers_are_refused(options, model, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(
            monkeypatch, "denoise", tmp_path, tmp_path / "o", "--model", model, *options
        )
    assert (
        f"argument {options[0]}: {options[1]} must be at least"
        in capsys.readouterr().err
    )


def test_mistakes_are_sentences(model, tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="Error: there is no image or folder at"):
        run(monkeypatch, "denoise", tmp_path / "no.png", "x.png", "--model", model)
    with pytest.raises(SystemExit, match="Error: there is no store at"):
        run(monkeypatch, "inspect", tmp_path / "no.zarr")


@pytest.mark.parametrize(
    "arguments",
    [("denoise", "", "out"), ("plan", ""), ("denoise", "--model=", "a", "b")],
)
def test_empty_arguments_are_refused(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        run(monkeypatch, *arguments)
    assert "an argument is empty: is a variable" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("figure", "reason"),
    [
        ("n.xyz", r"name ends in \.png, \.pdf"),
        ("n", r"name ends in \.png, \.pdf"),
        ("none/n.png", r"none cannot be written \(No such file"),
        ("file/n.png", r"file cannot be written \(Not a directory"),
    ],
)
def test_figures_that_cannot_be_written_are_refused_before_the_work(
    figure, reason, tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").touch()
    monkeypatch.setattr("mid_core.store.Store", None)
    with pytest.raises(SystemExit, match=reason):
        run(monkeypatch, "inspect", "noise.zarr", "--figure", tmp_path / figure)
    assert not capsys.readouterr().out


@pytest.mark.parametrize("name", ["no.zarr", "folder", "no"])
def test_a_mistyped_store_is_not_told_to_delete_anything(name, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "inspect", tmp_path / name)
    assert str(ended.value).startswith(
        f"Error: there is no store at {tmp_path / name}:"
    )
    assert "rm " not in str(ended.value)


def test_a_colour_image_needs_a_colour_model(tmp_path, monkeypatch):
    path = tmp_path / "grey.safetensors"
    save_model(path, stir(build(TINY, channels=1)), CARD | {"channels": 1})
    iio.imwrite(tmp_path / "a.png", np.zeros((20, 20, 3), np.uint8))
    iio.imwrite(tmp_path / "g.png", np.full((20, 21), 7, np.uint8))
    run(monkeypatch, "denoise", tmp_path / "g.png", tmp_path / "o.png", "--model", path)
    assert iio.imread(tmp_path / "o.png").shape == (20, 21)
    with pytest.raises(
        SystemExit, match="is in colour but the model was trained on grey"
    ):
        run(
            monkeypatch,
            "denoise",
            tmp_path / "a.png",
            tmp_path / "b.png",
            "--model",
            path,
        )


def test_the_help_lists_every_command(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "--help")
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for line in ("denoise a file or a folder of images", "clear the lock that a kill"):
        assert line in " ".join(said.split())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the config and images of a small run that nobody started."""
    for name in ("clean", "pairs"):
        (tmp_path / name).mkdir()
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(CONFIG))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_status_says_what_to_type(folder, monkeypatch, capsys):
    (folder / "Snakefile").touch()
    assert run(monkeypatch, "status") == 0
    assert capsys.readouterr().out.endswith("done; next: snakemake --cores all\n")
    log = folder / "results/tiny/logs/ingest/clean_image.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-11-23 22:48:12,182 INFO failed\n")
    assert run(monkeypatch, "status") == 1
    assert "failed: ingest/clean_image" in capsys.readouterr().out


def test_status_is_watched_until_ctrl_c(folder, monkeypatch, capsys):
    naps = []

    def sleep(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr("mid_core.jobs.status.read_jobs", lambda *asked: {})
    assert run(monkeypatch, "status", "--watch") == 0
    assert capsys.readouterr().out.count("; nothing to do") == 4


def test_recover_says_that_there_is_nothing_to_do(tmp_path, monkeypatch, capsys):
    assert not run(monkeypatch, "recover", "--directory", tmp_path)
    assert "nothing to recover" in capsys.readouterr().out
