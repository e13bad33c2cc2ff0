"""The report in a real browser: it opens without errors, and its slider moves."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mid_core.report.page import render
from tests.report.test_report import made_report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.slow,
    pytest.mark.skipif(not BROWSER, reason="no chromium: apt-get install chromium"),
]
# Written into the page's head: what goes wrong from its first line on.
WATCH = """<script>
const wrong = [];
addEventListener("error", (event) => wrong.push(event.message), true);
console.error = console.warn = (...said) => wrong.push(said.join(" "));
</script>"""
# Written behind its own script: a person's moves, and what then is seen.
MOVES = """<pre id="seen"></pre><script>
const part = (name) => document.querySelector(`[data-part="${name}"]`);
const style = (name) => part("stage").style.getPropertyValue(name);
const seen = { start: [part("left-score").textContent, part("right-score").textContent] };
const pointer = (kind, target, x, y) => target.dispatchEvent(new PointerEvent(kind,
  { bubbles: true, pointerId: 1, button: 0, clientX: x, clientY: y }));
part("stage").setPointerCapture = () => {};
addEventListener("load", () => {
  const box = part("stage").getBoundingClientRect();
  const at = (x, y) => [box.left + x * box.width, box.top + y * box.height];
  seen.ratio = box.width / box.height;
  part("split").value = 20;
  part("split").dispatchEvent(new Event("input"));
  seen.range = [style("--split"), part("line").offsetLeft / box.width];
  pointer("pointerdown", part("line"), ...at(0.2, 0.5));
  pointer("pointermove", part("stage"), ...at(0.75, 0.5));
  pointer("pointerup", part("stage"), ...at(0.75, 0.5));
  pointer("pointermove", part("stage"), ...at(0.1, 0.5));
  seen.drag = parseFloat(style("--split"));
  part("right").selectedIndex = 2;
  part("right").dispatchEvent(new Event("change"));
  seen.right = [part("right-score").textContent, part("over").alt];
  document.querySelector('[data-zoom="2"]').click();
  seen.button = [part("zoom").textContent, parseFloat(style("--x")) / box.width];
  pointer("pointerdown", part("stage"), ...at(0.5, 0.5));
  pointer("pointermove", part("stage"), ...at(0.6, 0.5));
  pointer("pointerup", part("stage"), ...at(0.6, 0.5));
  seen.pan = parseFloat(style("--x")) / box.width;
  const wheel = () => part("stage").dispatchEvent(new WheelEvent("wheel",
    { deltaY: -1, clientX: at(0, 0)[0], clientY: at(0, 0)[1], cancelable: true }));
  wheel();
  seen.unfocused = part("zoom").textContent;
  part("stage").focus();
  wheel();
  seen.wheel = part("zoom").textContent;
  part("stage").dispatchEvent(new KeyboardEvent("keydown", { key: "0" }));
  seen.key = [part("zoom").textContent, style("--x")];
  seen.rows = document.querySelectorAll("tbody tr").length;
  seen.loaded = [...document.images].every((one) => one.naturalWidth > 0);
  seen.overflow = document.documentElement.scrollWidth - innerWidth;
  seen.wrong = wrong;
  document.querySelector("#seen").textContent = JSON.stringify(seen);
});
</script>"""


def browse(folder, text, *options):
    """Open a page in the browser; return what it did and said."""
    page = folder / "page.html"
    page.write_text(text)
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu"]
    command += [f"--user-data-dir={folder / 'browser'}", "--enable-logging=stderr"]
    return subprocess.run(
        [*command, "--hide-scrollbars", *options, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


@pytest.fixture
def text(tmp_path, rng):
    return render(made_report(tmp_path, rng))


def test_the_slider_moves_and_nothing_goes_wrong(tmp_path, text):
    watched = text.replace("<head>", f"<head>{WATCH}").replace("</body>", MOVES)
    # Any time the page takes passes at once.
    options = ("--dump-dom", "--virtual-time-budget=5000", "--window-size=900,900")
    run = browse(tmp_path, watched, *options)
    assert ":CONSOLE" not in run.stderr, run.stderr
    found = re.search(r'<pre id="seen">(.*?)</pre>', run.stdout)[1]
    seen = json.loads(found.replace("&lt;", "<").replace("&gt;", ">"))
    assert seen["wrong"] == []
    assert seen["start"] == ["<b>noisy: 20.00 dB / 0.000", "<b>mid_0: 21.00 dB / 0.250"]
    assert seen["ratio"] == pytest.approx(31 / 19, rel=0.01)
    assert seen["range"][0] == "20%"
    assert seen["range"][1] == pytest.approx(0.2, abs=0.05)
    assert seen["drag"] == pytest.approx(75)
    assert seen["right"] == ["<b>truth", "first, <b>truth"]
    assert seen["button"] == ["2×", pytest.approx(-0.5)]
    assert seen["pan"] == pytest.approx(-0.4)
    assert (seen["unfocused"], seen["wheel"]) == ("2×", "4×")
    assert seen["key"] == ["1×", "0px"]
    assert (seen["rows"], seen["loaded"], seen["overflow"]) == (1, True, 0)


def test_an_error_would_be_seen(tmp_path, text):
    broken = text.replace("<head>", "<head><script>missing();</script>")
    assert ":CONSOLE" in browse(tmp_path, broken, "--dump-dom").stderr


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_drawn_in_both_schemes(tmp_path, text, dark):
    picture = tmp_path / "shot.png"
    options = [f"--screenshot={picture}", "--window-size=500,900"]
    # How Blink names the scheme: 0 is dark, 1 is light.
    options.append(f"--blink-settings=preferredColorScheme={0 if dark else 1}")
    browse(tmp_path, text, *options)
    pixels = np.asarray(Image.open(picture).convert("L"), float)
    assert (np.median(pixels) < 60) == dark
    # Writing stands out from its ground.
    assert np.ptp(pixels[:150]) > 180


def test_a_phone_scrolls_a_wide_figure_and_not_the_page(tmp_path, rng):
    report = made_report(tmp_path, rng)
    wide = report.figures[0]._replace(width=662)
    count = """<pre id="seen"></pre><script>addEventListener("load", () => {
    const picture = document.querySelector("#figures img");
    document.querySelector("#seen").textContent = JSON.stringify([picture.offsetWidth,
      picture.parentNode.scrollWidth > picture.parentNode.clientWidth,
      document.documentElement.scrollWidth - innerWidth]);});</script>"""
    text = render(replace(report, figures=[wide])).replace("</body>", count)
    run = browse(tmp_path, text, "--dump-dom", "--window-size=500,900")
    assert '<pre id="seen">[662,true,0]</pre>' in run.stdout


def test_paper_shows_every_picture_and_no_slider(tmp_path, text):
    printed = text.replace("@media print", "@media all").replace(
        "@media screen", "@media none"
    )
    count = """<pre id="seen"></pre><script>
    const shown = (one) => one.getClientRects().length > 0;
    document.querySelector("#seen").textContent = JSON.stringify([
      [...document.querySelectorAll(".pictures img")].filter(shown).length,
      shown(document.querySelector(".stage")),
    ]);</script>"""
    run = browse(tmp_path, printed.replace("</body>", count), "--dump-dom")
    assert '<pre id="seen">[6,false]</pre>' in run.stdout
    pdf = tmp_path / "page.pdf"
    browse(tmp_path, text, f"--print-to-pdf={pdf}")
    assert pdf.read_bytes().startswith(b"%PDF")
