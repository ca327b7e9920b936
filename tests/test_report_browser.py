"""The report in a real browser: what readers do with it, and what it must never do.

Runs where Playwright (extra ``browser``) and a Chromium are; elsewhere it is skipped.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from capplan.report import run_report
from capplan.report.blocks import Column, Explorer, Page, Section
from capplan.report.page import html
from capplan.runs import read_run
from tests.cli_calls import CHECKOUT, capplan

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the extra browser")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="needs Chromium"),
    # One browser for all: a worker of its own each would start one each.
    pytest.mark.xdist_group("browser"),
]
LONG = [(f"W{i:06}", f"name of {i}", f"site {i % 40}", f"{(i * 7) % 1000 / 10:,}") for i in range(100_000)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium. As root it has no sandbox to offer."""
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


@dataclass
class Opened:
    """A page, with what it wrote to the console and what it asked of the network."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Opens files; at the end nothing may have been said or asked."""
    contexts, pages = [], []

    def opening(path: Path, **options: Any) -> Opened:
        context = browser.new_context(**options)
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(path.as_uri())
        pages.append((path, found))
        return found

    yield opening
    for path, found in pages:
        assert not found.said
        asked = [url for url in found.asked if not url.startswith(("data:", "blob:"))]
        assert asked == [path.as_uri()]
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def cumbria(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of Cumbria."""
    folder = tmp_path_factory.mktemp("browser")
    assert capplan("solve", CHECKOUT / "inventories" / "cumbria", "-o", folder / "run").code == 0
    (folder / "report.html").write_text(run_report(read_run(folder / "run")), "utf-8")
    return folder / "report.html"


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of a hundred thousand rows."""
    columns = [Column("Workload"), Column("Name"), Column("Site"), Column("Power, kW", numeric=True)]
    explorer = Explorer("allocation", "Every workload", columns, LONG, ("Site",), "allocation.csv")
    page = Page("Long", "a table", [Section("allocation", "Who goes where", [explorer])])
    path = tmp_path_factory.mktemp("long") / "report.html"
    path.write_text(html(page), "utf-8")
    return path


def cells(page: Any, column: int) -> list[str]:
    """What a column of the allocation shows."""
    return list(page.locator(f"[data-rows=allocation] tbody tr > :nth-child({column})").all_text_contents())


def test_filter_choose_clear(opened: Callable[..., Opened], cumbria: Path):
    """Typing narrows the rows, every word counts; a list narrows them further; clear brings all back."""
    page = opened(cumbria).page
    box = page.locator("[data-rows=allocation]")
    box.get_by_label("Filter").fill("copy")
    assert cells(page, 1) == ["EML-R", "TIE-R"]
    box.get_by_label("Filter").fill("COPY email")
    assert cells(page, 1) == ["EML-R"]
    assert "1 of 13 rows" in box.locator(".count").text_content()
    box.get_by_label("Filter").fill("")
    box.get_by_label("Site").select_option("Carlisle data centre (A)")
    assert cells(page, 1) == ["BIW", "EML", "NET-A", "RIO-R", "TIE", "VDI"]
    box.get_by_label("Filter").fill("no such thing")
    assert "No row fits" in box.locator(".count").text_content()
    box.get_by_role("button", name="Clear").click()
    assert len(cells(page, 1)) == 13


def test_sort_by_text_and_by_number(opened: Callable[..., Opened], cumbria: Path):
    """A heading sorts, pressed again it sorts the other way, and says so to screen readers."""
    page = opened(cumbria).page
    head = page.locator("[data-rows=allocation] thead")
    head.get_by_role("button", name="Power, kW").click()
    number = 1 + head.locator("th").all_text_contents().index("Power, kW")
    shown = [float(text) for text in cells(page, number)]
    assert shown == sorted(shown)
    head.get_by_role("button", name="Power, kW").click()
    assert [float(text) for text in cells(page, number)] == sorted(shown, reverse=True)
    assert head.locator("th").nth(number - 1).get_attribute("aria-sort") == "descending"
    head.get_by_role("button", name="Workload").press("Enter")
    assert cells(page, 1) == sorted(cells(page, 1))


def test_a_hundred_thousand_rows_are_all_reached(opened: Callable[..., Opened], long: Path):
    """Filter, sort and page over all rows; only one page of them stands in the document."""
    page = opened(long).page
    box = page.locator("[data-rows=allocation]")
    assert "100,000 rows" in box.locator(".count").text_content()
    assert len(cells(page, 1)) == 100
    box.get_by_role("button", name="Last page").click()
    assert cells(page, 1)[-1] == "W099999"
    box.get_by_label("Filter").fill("099,9 site")
    assert "No row fits" in box.locator(".count").text_content()
    box.get_by_label("Filter").fill("W0999 39")
    assert cells(page, 1) == [row[0] for row in LONG if "W0999" in row[0] and any("39" in cell for cell in row)]
    box.get_by_role("button", name="Clear").click()
    box.get_by_role("button", name="Power, kW").click()
    box.get_by_role("button", name="Power, kW").click()
    assert set(cells(page, 4)) == {"99.9"}


def test_rows_are_saved_as_csv(opened: Callable[..., Opened], cumbria: Path, tmp_path: Path):
    """What is shown, on all pages, as a file that spreadsheets open."""
    page = opened(cumbria, accept_downloads=True).page
    box = page.locator("[data-rows=allocation]")
    box.get_by_label("Filter").fill("copy")
    with page.expect_download() as waiting:
        box.get_by_role("button", name="Save these rows").click()
    waiting.value.save_as(tmp_path / "saved.csv")
    assert waiting.value.suggested_filename == "allocation.csv"
    rows = list(csv.DictReader((tmp_path / "saved.csv").read_text("utf-8-sig").splitlines()))
    assert [row["Workload"] for row in rows] == ["EML-R", "TIE-R"]


def test_tips_by_pointer_and_by_keyboard(opened: Callable[..., Opened], cumbria: Path):
    """A mark says its figures when it is pointed at; arrow keys go on to the next; Escape hides the text."""
    page = opened(cumbria).page
    tip = page.locator("#tip")
    page.locator("svg.curve [data-tip]").first.hover()
    assert "kW usable" in tip.text_content()
    page.mouse.move(0, 0)
    assert tip.is_hidden()
    page.locator("svg.map").first.focus()
    assert tip.text_content() == "Carlisle data centre (A): 6 workloads"
    page.keyboard.press("ArrowRight")
    assert tip.text_content() == "Whitehaven data centre (B): 7 workloads"
    page.keyboard.press("Escape")
    assert tip.is_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(opened: Callable[..., Opened], cumbria: Path, scheme: str):
    """Contrast of every text against the ground below it is at least 4.5 (WCAG 2.1, 1.4.3), in either scheme."""
    page = opened(cumbria, color_scheme=scheme).page
    assert page.evaluate(CONTRAST) == []
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark or light").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
  const linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (node) => {
    for (let e = node; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll('h1,h2,h3,p,a,li,td,th,caption,summary,button,label,footer')) {
    if (!e.textContent.trim() || !e.checkVisibility() || e.closest('#tip, .skip, .unseen')) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push([e.tagName, e.className, e.textContent.slice(0, 40)]);
  }
  return poor;
}"""


def test_a_comparison_is_quiet_too(opened: Callable[..., Opened], cumbria: Path, tmp_path: Path):
    """Nothing on the console, nothing asked of the network; both plans are there."""
    run = cumbria.parent / "run"
    assert capplan("report", run, run, "-o", tmp_path / "comparison.html").code == 0
    page = opened(tmp_path / "comparison.html").page
    assert page.locator(".answer").count() == 2


def test_fits_a_phone(opened: Callable[..., Opened], cumbria: Path):
    """Nothing is wider than the screen but what scrolls by itself."""
    page = opened(cumbria, viewport={"width": 390, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_prints_all_of_it(opened: Callable[..., Opened], cumbria: Path, tmp_path: Path):
    """A PDF of several pages; what is folded away is on paper, and folded again afterwards."""
    page = opened(cumbria).page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    content = page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page\n") >= 3


def test_reads_without_a_script(opened: Callable[..., Opened], cumbria: Path):
    """Where scripts are switched off, the first rows of every table and all drawings are there."""
    page = opened(cumbria, java_script_enabled=False).page
    assert page.locator("[data-rows=allocation] tbody tr").count() == 13
    assert page.locator("svg.map").first.is_visible()
    assert page.locator("form").first.is_hidden()
