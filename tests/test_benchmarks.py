"""What the benchmarks conclude from their times; the times are nobody's to assert."""

import json

import numpy as np
import pytest
import torch

from benchmarks import ensemble, gpu
from benchmarks.growth import exponent, fit
from benchmarks.measuring import alternate, ratio, write


def rows(seconds: list[float], memory: list[float]) -> list[dict]:
    measured = zip((10, 20, 40, 80), seconds, memory, strict=True)
    return [
        {"what": "x", "over": "y", "size": n, "cpu_seconds": s, "memory_mb": mb}
        for n, s, mb in measured
    ]


@pytest.mark.parametrize("power", [0, 0.5, 1, 2.3])
def test_the_exponent_is_the_power(power):
    sizes = np.array([3, 7, 20, 51])
    assert exponent(sizes, 0.02 * sizes**power) == pytest.approx(power, abs=1e-9)


def test_disturbed_linear_work_is_not_called_worse():
    found = fit(rows([1.1, 1.9, 4.3, 8.1], [50, 50, 50, 50]))
    assert found["time"] == pytest.approx(0.98, abs=0.01)
    assert (found["memory"], found["worse"]) == (0, "")


def test_what_only_begins_to_grow_is_called_worse():
    assert fit(rows([1, 1.01, 1.1, 4], [50] * 4))["worse"] == "worse than linear"
    assert fit(rows([1] * 4, [10, 40, 160, 640]))["worse"] == "worse than linear"


def test_work_is_done_in_turn_and_once_untimed():
    seen = []
    works = {name: lambda name=name: seen.append(name) for name in "ab"}
    times = alternate(works, 2)
    assert seen == list("ababab")
    assert {name: len(taken) for name, taken in times.items()} == {"a": 2, "b": 2}


def test_a_ratio_is_of_neighbours():
    # A machine that gets ten times slower in between changes nothing.
    assert ratio([2, 20, 2], [1, 10, 1]) == 2


def test_results_are_written_with_the_machine(tmp_path):
    path = write("x", {"t": [{"mask_ratio": 1.5}]}, tmp_path / "new", card="none")
    found = json.loads(path.read_text())
    assert found["tables"] == {"t": [{"mask_ratio": 1.5}]}
    assert found["machine"]["torch"] == torch.__version__
    assert found["machine"]["card"] == "none"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_measured(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["gpu"])
    with pytest.raises(SystemExit) as stopped:
        gpu.main()
    assert stopped.value.code == 1
    assert "sees no CUDA device" in capsys.readouterr().err


def test_a_cut_measurement_goes_on_with_the_part_that_it_was_in(tmp_path, capsys):
    done, path = [], tmp_path / "gpu_x.json"

    def part(name, error=None):
        done.append(name)
        if error:
            raise error
        return [{"seconds": 1.5}]

    def parts(error):
        return {
            "first": lambda: part("first"),
            "too large": lambda: part("too large", torch.OutOfMemoryError("4 GB")),
            "last": lambda: part("last", error),
        }

    with pytest.raises(KeyboardInterrupt):
        gpu.measure(parts(KeyboardInterrupt()), path, {})
    gpu.measure(parts(None), path, {"card": "x"})
    assert done == ["first", "too large", "last", "too large", "last"]
    tables = json.loads(path.read_text())["tables"]
    assert tables["last"] == [{"seconds": 1.5}]
    assert tables["too large"] == [{"not measured": "out of memory: 4 GB"}]


def test_a_pass_that_does_not_fit_takes_fewer_rows():
    class Narrow(torch.nn.Conv2d):
        def forward(self, x):
            if x.shape[2] > 5:
                raise torch.OutOfMemoryError
            return super().forward(x)

    _, share = ensemble.whole_pass(Narrow(3, 3, 1), np.zeros((20, 7, 3), np.float32))
    assert share == 0.25
