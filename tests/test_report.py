"""The report of a run: one file, offline, with everything in it that the tables have."""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from capplan.report import run_report
from capplan.runs import read_run
from tests.cli_calls import capplan
from tests.small import INVENTORY

CHECKOUT = Path(__file__).resolve().parent.parent
EVIL = '<script>alert(1)</script> & "quoted"'


@pytest.fixture(scope="module")
def cumbria(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of Cumbria."""
    folder = tmp_path_factory.mktemp("report") / "cumbria"
    assert capplan("solve", CHECKOUT / "inventories" / "cumbria", "-o", folder).code == 0
    return folder


class Text(HTMLParser):
    """The words that a reader sees, and the elements there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.hidden = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def made(folder: Path, **tables: str) -> str:
    """The report of a small inventory."""
    inventory = folder / "inventory"
    inventory.mkdir()
    (inventory / "inventory.yaml").write_text(INVENTORY, "utf-8")
    for table, text in tables.items():
        (inventory / f"{table}.csv").write_text(text, "utf-8")
    assert capplan("solve", inventory, "-o", folder / "run").code in (0, 3)
    return run_report(read_run(folder / "run"))


def test_cumbria_answers_what_people_ask(cumbria: Path):
    """What is planned, what it costs whom, what is nearly full, what breaks if Whitehaven is lost."""
    text = Text(run_report(read_run(cumbria))).text
    for said in (
        "Proved: no plan is better",
        "13 workloads of 1 organisation have their place at 2 of 2 sites, 1 Oct 2015 – 31 Mar 2017. None is left out.",
        "£168,153.42 over 548 days, £112,000 a year: site £168,153.42.",
        "It falls on Cumbria Partnership NHS Foundation Trust (RNN) £168,153.42.",
        "Nothing is nearly full",
        "Whitehaven data centre (B), power: 8.9 of 11.2 kW usable, 79.5 % (1 Apr – 30 Jun 2016); 2.3 kW left",
        "What breaks if Whitehaven data centre (B) is lost?",
        "i.PM interfaces and archive (IPM; 1 Oct 2015 – 28 Sep 2016) and File store (FIL).",
        "Carlisle data centre (A) takes over RiO patient record system (RIO).",
        "Then power at Carlisle data centre (A) is 70 % full: 11.2 of 16 kW.",
    ):
        assert said in text


def test_equal_runs_give_equal_bytes(cumbria: Path, tmp_path: Path):
    """Nothing of the clock, the folder or the machine is in it."""
    assert capplan("solve", CHECKOUT / "inventories" / "cumbria", "-o", tmp_path / "again").code == 0
    assert run_report(read_run(tmp_path / "again")) == run_report(read_run(cumbria))


def test_policy_allows_what_is_inside_and_nothing_else(cumbria: Path):
    """Hashes of the style and the script; no element or attribute that would load or run anything besides."""
    page = run_report(read_run(cumbria))
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    style, script = (re.findall(f"<{e}>(.*?)</{e}>", page, re.DOTALL)[0] for e in ("style", "script"))
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (style, script)]
    assert policy.replace("&#39;", "'").split("; ")[:3] == [
        "default-src 'none'",
        f"style-src {hashes[0]}",
        f"script-src {hashes[1]}",
    ]
    for tag, attributes in Text(page).elements:
        assert tag not in ("img", "iframe", "object", "embed", "base"), tag
        assert not {name for name in attributes if name.startswith("on") or name in ("style", "src")}, (tag, attributes)
        assert (attributes.get("href") or "#").startswith(("#", "data:,")), attributes
    assert not re.search(r"https?://(?!www\.w3\.org)", style + script)


def test_what_users_write_is_text(tmp_path: Path):
    """Markup in any name comes out as the text it is, in the page and in the data of its long tables."""
    quoted = EVIL.replace('"', '""')
    page = made(
        tmp_path,
        organisations=f'organisation,name\nO,"{quoted}"\n',
        sites=f'site,name,latitude,longitude,power_kw\nA,"{quoted}",51,0,10\n',
        workloads=f'workload,name,organisation,power_kw\nW,"{quoted}",O,1\n',
    )
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    found = Text(page)
    assert EVIL in found.text
    islands = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert any(EVIL in json.dumps(json.loads(island), ensure_ascii=False).replace('\\"', '"') for island in islands)


def test_every_drawing_has_its_table(cumbria: Path):
    """Each figure is followed by a table in the same figure; bars lie in a table anyway."""
    page = run_report(read_run(cumbria))
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) >= 2
    assert all("<table>" in figure and "<svg" in figure for figure in figures)
    outside = re.sub(r"<figure>.*?</figure>", "", page, flags=re.DOTALL)
    assert all('aria-hidden="true"' in svg for svg in re.findall(r"<svg[^>]*>", outside))


def test_anchors_lead_somewhere(cumbria: Path):
    """Every link of the page names an element of it, and no id is used twice."""
    elements = Text(run_report(read_run(cumbria))).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    links = {attributes["href"] for tag, attributes in elements if tag == "a"}
    assert len(ids) == len(set(ids))
    assert {f"#{name}" for name in ids} >= links


def test_rows_of_a_long_table_are_all_there(cumbria: Path):
    """The data of the allocation, decoded, is the table of the run with names in place of ids."""
    run = read_run(cumbria)
    page = run_report(run)
    [island] = re.findall(r'data-rows="allocation".*?application/json">(.*?)</script>', page, re.DOTALL)
    data = json.loads(island)
    columns = {column["label"]: column for column in data["columns"]}
    codes = columns["Site"]["codes"]
    decoded = [columns["Site"]["values"][code] for code in codes]
    names = {"A": "Carlisle data centre (A)", "B": "Whitehaven data centre (B)"}
    assert decoded == [names[row["site"]] for row in run.table("allocation")]
    assert data["count"] == len(decoded) == 13


def test_without_a_plan_it_says_what_is_short(tmp_path: Path):
    """An infeasible run has a report too: what is short, and by how much."""
    page = made(
        tmp_path,
        organisations="organisation\nO\n",
        sites="site,power_kw\nA,10\n",
        workloads="workload,organisation,power_kw\nW,O,9\n",
    )
    text = Text(page).text
    assert "No plan can keep all the rules. That is proved, not guessed." in text
    assert "short 1 kW" in text


def test_an_inventory_without_workloads_has_a_page(tmp_path: Path):
    """Nothing to place is no fault."""
    text = Text(made(tmp_path, sites="site,power_kw\nA,10\n")).text
    assert "The inventory has no workloads: there is nothing to place." in text
    assert "Nothing in this inventory has a price" in text


def test_edited_tables_are_told(cumbria: Path, tmp_path: Path):
    """A reader learns that what he sees is no longer what was solved."""
    folder = tmp_path / "edited"
    shutil.copytree(cumbria, folder)
    path = folder / "allocation.csv"
    path.write_bytes(path.read_bytes().replace(b"Email copy", b"Email spare"))
    text = Text(run_report(read_run(folder))).text
    assert "allocation.csv changed since the run was solved" in text
    assert "Email spare" in text


def test_links_that_fail_are_shown(cumbria: Path, tmp_path: Path):
    """A table links.csv in the run makes a section: which link fails which check, and by how much."""
    folder = tmp_path / "links"
    shutil.copytree(cumbria, folder)
    rows = "link,check,status,measured,limit,path,note\nRIO-MIG,capacity,fail,90,75,A > B,too much\nX,rtt,pass,1,5,A,\n"
    (folder / "links.csv").write_text(rows, "utf-8")
    text = Text(run_report(read_run(folder))).text
    assert "These do not: " in text
    assert "✕ fails" in text


def test_command_writes_beside_the_run_or_where_asked(cumbria: Path, tmp_path: Path):
    """The path is printed; the file is whole; a folder is refused."""
    folder = tmp_path / "run"
    shutil.copytree(cumbria, folder)
    done = capplan("report", folder)
    assert (done.code, done.out) == (0, f"{folder / 'report.html'}\n")
    other = tmp_path / "other.html"
    assert capplan("report", folder, "-o", other).code == 0
    assert other.read_bytes() == (folder / "report.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.html", "run"]
    refused = capplan("report", folder, "-o", tmp_path)
    assert refused.code == 2
    assert "is a folder" in refused.err
    assert capplan("report", tmp_path / "nothing").code == 2


def test_a_run_with_a_report_can_be_replaced(cumbria: Path, tmp_path: Path):
    """report.html is ours: it does not keep a run from being solved anew."""
    folder = tmp_path / "run"
    shutil.copytree(cumbria, folder)
    assert capplan("report", folder).code == 0
    assert capplan("solve", CHECKOUT / "inventories" / "cumbria", "-o", folder).code == 0
