"""The report's one file, from small made-up data."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mid_core.errors import MidError
from mid_core.evaluation.noise_statistics import Statistics
from mid_core.noise import white_gaussian
from mid_core.report.compared import read_compared
from mid_core.report.facts import lineage_table, time_table
from mid_core.report.lead import lead
from mid_core.report.noise_cards import noise_card
from mid_core.report.page import Figure, Report, render
from mid_core.report.pictures import png_uri, printed_width
from mid_core.report.tables import read_tables
from mid_core.store import Store, StoreWriter, write_json

MARKDOWN = """**Methods (Table 1)**

| method   |   K | score           |
|:---------|----:|:----------------|
| <script> |   2 | *34.91* / **0.9** |

- a: pairs (noisy_*.png, clean_*.png), n = 2

**b**: not available
"""
VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """Counts tags, keeps what is referred to, and sees that each tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.tags, self.references = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        names = ("src", "href", "srcset", "action", "data", "poster")
        self.references += [value for name, value in attributes if name in names]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def report(tmp_path, rng) -> Report:
    return made_report(tmp_path, rng)


def made_report(folder, rng) -> Report:
    """A report of two compared images, a figure, and a bank."""
    methods = []
    for i, key in enumerate(("noisy", "mid_0", "truth")):
        picture = np.full((19, 31, 3), 80 * i + 10, np.uint8)
        Image.fromarray(picture).save(folder / f"{key}.png")
        one = {"key": key, "label": f"<b>{key}", "file": f"{key}.png"}
        methods.append(one | {"psnr_db": 20.0 + i if i < 2 else None, "ssim": i / 4})
    images = [
        {"name": name, "window": [3, 5, 19, 31], "methods": methods}
        for name in ("first", "second")
    ]
    facts = {"dataset": "made up", "split": "all", "protocol": "p", "shown": "mid_0"}
    write_json(folder / "index.json", facts | {"images": images})
    found = Statistics()
    with StoreWriter(folder / "noise.zarr", "noise", tile=32) as store:
        for name, noise in white_gaussian(3, 32, (20, 20), 3, seed=4):
            store.append(name, noise)
            found.add(noise)
        made_by = {"stage": "awgn_bank", "version": 1}
        store.attributes = {"made_by": made_by, "statistics": found.summary()}
    return Report(
        dataset="<i>set",
        tables=read_tables(MARKDOWN),
        figures=[Figure("Curve", "Up & down.", png_uri(folder / "noisy.png"), 300)],
        compared=read_compared(folder / "index.json"),
        cards=[noise_card("N_0", Store(folder / "noise.zarr"))],
        facts={"Versions": {"Python": "3"}},
        settings="a: <1>",
    )


def test_tables_are_read_from_markdown():
    first, second = read_tables(MARKDOWN)
    assert first.caption == "**Methods (Table 1)**"
    assert first.header == ["method", "K", "score"]
    assert first.numeric == [False, True, False]
    assert first.rows == [["<script>", "2", "*34.91* / **0.9**"]]
    assert first.notes == ["a: pairs (noisy_*.png, clean_*.png), n = 2"]
    assert (second.caption, second.rows) == ("**b**: not available", ())


def test_a_wide_table_of_few_numbers_is_folded():
    columns = ["method", *map(str, range(12))]
    rows = [["A", "1.5", *[""] * 11], ["B", *[""] * 10, "**2**", "3"]]
    lines = [columns, [":--"] * 13, *rows]
    (table,) = read_tables("\n".join(f"| {' | '.join(line)} |" for line in lines))
    assert table.header == ["method", "by source"]
    assert table.rows == [["A", "0: 1.5"], ["B", "10: **2**; 11: 3"]]


def test_published_tables_are_folded_and_no_other(report):
    heading = "Published, SIDD benchmark: other images than those above"
    published = MARKDOWN.replace("Methods (Table 1)", heading)
    text = render(replace(report, tables=read_tables(MARKDOWN + "\n" + published)))
    first, second = text.split(heading)
    assert '<details class="rows">' not in first
    assert '<details class="rows"><summary>1 methods</summary>' in second
    assert Page(text).tags.count("table") == 2


def test_a_figure_is_never_narrower_than_in_print(tmp_path):
    path = tmp_path / "figure.png"
    Image.new("L", (300, 20)).save(path, dpi=(150, 150))
    width = printed_width(path)
    assert width == 192
    page = render(Report("", [], [Figure("a", "", png_uri(path), width)]))
    assert 'style="--printed: 192px"' in page


def test_the_page_is_whole_and_needs_nothing_else(report):
    page = Page(render(report))
    assert page.references
    assert all(one.startswith(("data:", "#")) for one in page.references)
    assert "url(" not in render(report)
    # 2 x 3 compared, 2 of the slider, a figure, and a card.
    assert page.tags.count("img") == 10
    assert page.tags.count("table") == 1


def test_what_it_says_is_escaped(report):
    text = render(report)
    assert "<td>&lt;script&gt;</td>" in text
    assert (
        "<td><em>34.91</em>\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}<strong>0.9</strong></td>"
        in text
    )
    assert "noisy_*.png, clean_*.png" in text
    assert "&lt;b&gt;mid_0" in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert Page(text).tags.count("script") == 1


def test_without_results_there_is_still_a_page():
    page = Page(render(Report("none", tables=[], figures=[])))
    assert "img" not in page.tags


def test_a_page_that_is_too_large_is_refused(report):
    size = len(render(report).encode())
    assert render(report, size)
    with pytest.raises(MidError, match=r"2 compared images.*lower figures\.crops"):
        render(report, size - 1)


def test_a_card_tells_the_noise(report):
    (card,) = report.cards
    # Independent samples of a known spread, in float16.
    assert [round(float(n)) for n in card.facts["std"].split(", ")] == [20, 20, 20]
    assert float(card.facts["kurtosis"]) == pytest.approx(3, abs=0.2)
    assert card.facts["size"] == "3 of 32x32 pixels, 0.0 MB"
    assert "awgn_bank" in card.provenance
    assert "explained" not in card.facts


def test_a_report_begins_with_what_came_out():
    rows = {
        "variant": ["mid", "mid", "other"],
        "round": [0, 1, 0],
        "noise_level": [12.34, 12.34, 50],
        "residual_std": [9, 11.96, 50],
        "structure_share": [0.5, 0.034, 1],
        "verdict": ["takes out structure", "fine", "takes out structure"],
    }
    judged = pd.DataFrame(rows)
    taken = (
        "These images show noise of 12.3 grey levels of 255. 12.0 were taken out, and "
        "3% of its power is structure: fine."
    )
    assert lead(None, judged) == taken
    methods = [{"key": "noisy", "psnr_db": 20.0}, {"key": "mid_1", "psnr_db": 31.0}]
    better = [{"key": "noisy", "psnr_db": 23.0}, {"key": "mid_1", "psnr_db": 36.0}]
    images = [{"methods": methods}, {"methods": better}]
    compared = {"protocol": "p", "shown": "mid_1", "images": images}
    gain = "In the windows below, denoising takes PSNR from 21.5 dB to 33.5 dB."
    assert lead(compared, judged) == f"{gain} {taken}"
    assert lead(compared | {"protocol": None}, judged) == taken
    # A window that equals its truth has no PSNR.
    same = [{"key": "noisy", "psnr_db": None}, {"key": "mid_1", "psnr_db": 40.0}]
    more = {"images": [*images, {"methods": same}]}
    assert lead(compared | more, judged) == f"{gain} {taken}"
    assert lead(compared | {"images": [{"methods": same}]}, judged) == taken
    judged["noise_level"] = np.nan
    assert lead(None, judged) == "The images are too small to judge their noise."


def test_a_page_without_truths_says_so(report):
    page = render(replace(report, lead="<What came out.>"))
    assert "&lt;What came out.&gt;" in page
    assert "PSNR / SSIM are those of the window, protocol\np." in page
    compared = report.compared | {"protocol": None}
    assert "there is no PSNR" in render(replace(report, compared=compared))


def test_time_is_summed_by_rule(tmp_path):
    head = "s\tmax_rss\n"
    for name, line in {
        "b/one": "60\t10",
        "b/two": "30\t2000",
        "a": "100\tNA",
    }.items():
        path = tmp_path / f"benchmarks/{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + line)
    table = time_table(tmp_path / "benchmarks")
    assert table.rows == [
        ["a", "1", "1.7 min", "1.7 min", ""],
        ["b", "2", "1.5 min", "60 s", "2.0"],
        ["all", "3", "3.2 min", "", ""],
    ]


def test_a_resumed_training_counts_whole(tmp_path):
    (tmp_path / "benchmarks/train_round").mkdir(parents=True)
    (tmp_path / "a_b/round_1").mkdir(parents=True)
    (tmp_path / "benchmarks/train_round/a_b_1.tsv").write_text("s\tmax_rss\n5\t1")
    write_json(tmp_path / "a_b/round_1/model.json", {"train_seconds": 7200})
    assert time_table(tmp_path / "benchmarks").rows[0][2] == "2.0 h"


def test_lineage_is_summed_by_rule(tmp_path):
    rows = [
        ("train", "x_0", "/c/1.png", "/r/data/clean/image.zarr"),
        ("train", "x_1", "/c/1.png", "/r/data/clean/image.zarr"),
        ("train", "x_1", "/r/mid/round_1/noise.zarr", ""),
        ("score", "", "/t/2.png", "/r/data/test/truth.zarr"),
        ("ingest", "", "/t/2.png", ""),
    ]
    columns = ["rule", "job", "image", "through"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "l.csv", index=False)
    assert lineage_table(tmp_path / "l.csv").rows == [
        ["ingest", "1", "1", "image files"],
        ["score", "1", "1", "test (truths)"],
        ["train", "2", "2", "clean (images), noise banks"],
    ]


@pytest.mark.slow
def test_any_finished_run_has_a_report(finished):
    page = Page((finished / "results/tiny/report.html").read_text())
    index = finished / "results/tiny/figures/compared/index.json"
    found = json.loads(index.read_text())
    (image,) = found["images"]
    keys = [method["key"] for method in image["methods"]]
    own = ["mid_0", "mid_1", "no_mask_0", "true_noise_0"]
    assert keys == ["noisy", *own, "truth", "taken_out"]
    assert found["shown"] == "mid_1"
    scored = {method["key"]: method["psnr_db"] for method in image["methods"]}
    # Drawn with a spread of 20 grey levels: 22.1 dB but for what was clipped.
    assert scored["noisy"] == pytest.approx(22.1, abs=0.5)
    assert scored["truth"] is None
    # Pictures compared, two of the slider, four figures, three banks.
    assert page.tags.count("img") == 7 + 2 + 4 + 3
