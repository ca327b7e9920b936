"""The README's commands are the ones that the gates run, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
README = (CHECKOUT / "README.md").read_text("utf-8")
PAGES = [CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((CHECKOUT / "docs").rglob("*.md"))


def line_with(text: str) -> str:
    [line] = [line for line in README.splitlines() if text in line]
    return line


@pytest.mark.skipif(not shutil.which("bash"), reason="the gates are a bash script")
def test_ci_runs_the_readmes_test_command():
    """The first screen's test command and the one that .ci/run executes are the same line."""
    command = ["bash", ".ci/run", "--show-test-command"]
    shown = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.strip()
    assert shown == line_with("-e '.[test]'")


@pytest.mark.parametrize("marker", ["-e '.[test]'", "&& .venv/bin/capplan solve"])
def test_first_screen_commands_do_all_the_set_up(marker: str):
    """Each of the two commands is one line, makes its environment itself and installs exact versions."""
    assert line_with(marker).startswith("python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e ")
    assert README.index(marker) < 1600, "the first screen"


def test_main_command_solves(tmp_path: Path):
    """What the first command runs after its set-up plans Dudley and saves a run."""
    words = shlex.split(line_with("&& .venv/bin/capplan solve").split("&&")[-1])
    assert words[0] == ".venv/bin/capplan"
    shutil.copytree(CHECKOUT / "inventories", tmp_path / "inventories")
    command = [sys.executable, "-m", "capplan", *words[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / done.stdout.rstrip().splitlines()[-1] / "run.json").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path):
    """Every relative link in the documentation names a file or folder of the checkout."""
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


def test_constraints_are_exact_and_name_no_host():
    """Every line of constraints.txt is ``name==version``: no hashes, no addresses."""
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    assert lines == sorted(lines, key=str.casefold)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.!+]+", line) for line in lines)
