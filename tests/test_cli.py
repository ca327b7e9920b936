"""The command line as people call it: help, exit codes, messages, schemas, first steps."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from capplan import shipped
from capplan.cli import checking, solving
from capplan.cli.schemas import Schema
from capplan.errors import Defect
from tests.cli_calls import CHECKOUT, Said, call, capplan
from tests.inventory_folders import write_folder

COMMANDS = ("init", "validate", "solve", "check", "links", "show", "runs", "compare", "diff", "sweep", "schema")


# ---------------------------------------------------------------- help


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["solve", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]):
    """``capplan --help`` answers without pandas, numpy, OR-Tools or rich."""
    code = (
        "import sys\nfrom capplan.cli import main\n"
        f"sys.argv = ['capplan', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'pandas', 'numpy', 'ortools', 'scipy', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True, capture_output=True)


def test_help_names_every_command():
    """The list of commands is complete, and each explains itself."""
    said = capplan("--help").out
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\S", said, re.MULTILINE), command
        assert capplan(command, "--help").out.startswith("Usage:")


def test_version_is_the_packages():
    """``--version`` prints one line with the name and the version."""
    said = capplan("--version")
    assert re.fullmatch(r"capplan \d+(\.\d+)*\n", said.out)


# ---------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    "arguments",
    [
        ["solve", "--no-such-option"],
        ["no-such-command"],
        ["solve"],
        ["solve", "inventories/dudley", "-m", "standrad"],
        ["solve", "inventories/dudley", "-m", "nowhere/model.yaml"],
        ["solve", "inventories/dudley", "--scenario", "as-it-is"],
        ["solve", "inventories/dudley", "--gap", "much"],
        ["solve", "inventories/dudley", "--gap", "200"],
        ["solve", "inventories/dudley", "--gap", "nan"],
        ["solve", "inventories/dudley", "--time-limit", "soon"],
        ["solve", "inventories/dudley", "--time-limit", "0"],
        ["solve", "inventories/dudley", "--workers", "0"],
        ["solve", "inventories/dudley", "--seed", "-1"],
        ["show", "nowhere"],
        ["check", "inventories/dudley", "--color", "sometimes"],
        ["schema", "nonsense"],
        ["init", "somewhere", "--example", "dudly"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_says_so(arguments: list[str], monkeypatch: pytest.MonkeyPatch):
    """What cannot mean anything ends with 2 and a message on stderr, nothing on stdout."""
    monkeypatch.chdir(CHECKOUT)
    said = capplan(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err


def test_misspelt_names_get_a_suggestion():
    """Model, scenario and example: a near miss is answered with the name that is meant."""
    dudley = str(CHECKOUT / "inventories/dudley")
    assert 'did you mean "standard"?' in capplan("solve", dudley, "-m", "standrad").err
    assert 'did you mean "as-is"?' in capplan("solve", dudley, "--scenario", "as-iss").err
    assert 'did you mean "dudley"?' in capplan("init", "x", "--example", "dudly").err


def test_defects_are_70_with_a_traceback_only_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A contradiction inside capplan is owned up to, briefly; ``-v`` shows where."""

    def contradict(*_: object, **__: object) -> None:
        raise Defect("the plan found breaks a rule")

    monkeypatch.setattr(solving, "solve_task", contradict)
    folder = write_folder(tmp_path / "i", {})
    brief, long = capplan("solve", folder), capplan("solve", folder, "-v")
    assert brief.code == long.code == 70
    assert "the plan found breaks a rule" in brief.err
    assert "report" in brief.err
    assert "Traceback" not in brief.err
    assert "Traceback" in long.err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyError("odd"), 70, "KeyError"),
        (MemoryError(), 70, "memory"),
        (OverflowError("2**70"), 1, "too large"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (PermissionError(13, "Permission denied", "x"), 2, "Permission denied: x"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_end_has_its_code(
    error: BaseException, code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whatever ends a command becomes a documented exit code and a line that a user understands."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(checking, "read_task", fail)
    said = capplan("check", tmp_path)
    assert (said.code, said.out) == (code, "")
    assert words in said.err
    assert len(said.err.splitlines()) == 1


def test_unlimited_quantities_do_not_overflow_silently(tmp_path: Path):
    """Numbers beyond exact arithmetic end in a message, never in a traceback or a wrong plan."""
    huge = "workload,organisation,power_kw\nW1,O1,9000000000000000000\nW2,O2,9000000000000000000\n"
    said = capplan("solve", write_folder(tmp_path / "i", {"workloads": huge}), "-o", tmp_path / "run")
    assert said.code in (1, 3), said.err
    assert "Traceback" not in said.err


# ---------------------------------------------------------------- faults


BAD = {
    "inventory.yaml": "format: 1\ntitle: Bad\ncurrency: GBP\nas_of: 2016-04-01\nmodel: model.yaml\n",
    "model.yaml": "format: 1\nextends: standard\nheadroom: {power_kw: 20}\n",
    "workloads": 'workload,organisation,power_kw\nW1,O1,"3,4"\nW2,O9,1\n',
}


def test_faults_of_inventory_and_model_are_told_in_one_pass(tmp_path: Path):
    """Every fault of all files, each on a line with file, line, column and code, and how many there are."""
    folder = write_folder(tmp_path / "i", BAD)
    for command in (["validate"], ["solve"], ["check"]):
        said = capplan(*command, folder)
        assert (said.code, said.out) == (1, "")
        *lines, count = said.err.splitlines()
        assert count == "3 errors"
        assert [line.removeprefix(f"{folder}/").partition(" ")[0] for line in lines] == [
            "model.yaml:3:22:",
            "workloads.csv:2:7:",
            "workloads.csv:3:4:",
        ]
        assert all("error[" in line for line in lines)


def test_a_model_that_the_inventory_names_wrongly_is_a_fault_of_the_inventory(tmp_path: Path):
    """The place of the mistake is the line in inventory.yaml."""
    folder = write_folder(tmp_path / "i", {"inventory.yaml": BAD["inventory.yaml"].replace("model.yaml", "standrad")})
    said = capplan("validate", folder)
    assert said.code == 1
    assert f"{folder / 'inventory.yaml'}:5:8: error[unknown-reference]" in said.err


def test_contradictions_between_inventory_and_model_are_faults(tmp_path: Path):
    """``validate`` finds without solving that a rule names a resource that nothing has."""
    model = tmp_path / "m.yaml"
    model.write_text("format: 1\nextends: standard\nrules: {capacity: {soft: {tapes: 3}}}\n", "utf-8")
    said = capplan("validate", write_folder(tmp_path / "i", {}), "-m", model)
    assert said.code == 1
    assert f"{model}:3:" in said.err


def test_validate_says_what_it_read(tmp_path: Path):
    """A sound inventory is summed up on one line of stdout."""
    said = capplan("validate", write_folder(tmp_path / "i", {}))
    assert (said.code, said.err) == (0, "")
    assert "2 organisations, 2 sites, 2 workloads; no mistakes" in said.out


def test_warnings_fail_only_when_strict(tmp_path: Path):
    """A headroom of 60 % looks inverted: that is said, and fails with ``--strict`` alone."""
    model = tmp_path / "m.yaml"
    model.write_text("format: 1\nextends: standard\nheadroom: {power_kw: 60%}\n", "utf-8")
    folder = write_folder(tmp_path / "i", {})
    mild, strict = capplan("validate", folder, "-m", model), capplan("validate", folder, "-m", model, "--strict")
    assert (mild.code, strict.code) == (0, 1)
    assert "warning[headroom-inverted]" in mild.err
    assert "error[headroom-inverted]" in strict.err
    assert "1 warning" in mild.out
    assert "warning" not in capplan("validate", folder, "-m", model, "-q").err


def test_faults_as_json(tmp_path: Path):
    """``--format json``: stdout is one document with every fault."""
    said = capplan("validate", write_folder(tmp_path / "i", BAD), "--format", "json")
    found = json.loads(said.out)
    assert (said.code, found["format_version"], len(found["faults"])) == (1, 1, 3)
    assert found["faults"][0]["line"] == 3


def test_faults_as_github_commands(tmp_path: Path):
    """``--format github``: a workflow command for each fault, marks escaped."""
    folder = write_folder(tmp_path / "i", BAD)
    lines = capplan("validate", folder, "--format", "github").out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(f"::error file={folder / 'workloads.csv'},line=2,col=7,title=")
    assert all(re.fullmatch(r"::error [^:]+::[^\n]+", line) for line in lines)


def test_faults_as_sarif(tmp_path: Path):
    """``--format sarif``: a SARIF 2.1.0 log with a result for each fault; sound input has none."""
    log = json.loads(capplan("validate", write_folder(tmp_path / "i", BAD), "--format", "sarif").out)
    [run] = log["runs"]
    assert log["version"] == "2.1.0"
    assert {result["ruleId"] for result in run["results"]} == {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert run["results"][1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 2, "startColumn": 7}
    sound = json.loads(capplan("validate", write_folder(tmp_path / "j", {}), "--format", "sarif").out)
    assert sound["runs"][0]["results"] == []


def test_control_characters_in_files_do_not_reach_the_terminal(tmp_path: Path):
    """An escape sequence in a title is shown, not obeyed."""
    yaml = 'format: 1\ntitle: "a\\e[31mb"\ncurrency: GBP\nas_of: 2016-04-01\n'
    folder = write_folder(tmp_path / "i", {"inventory.yaml": yaml})
    for said in (capplan("solve", folder, "-o", tmp_path / "run"), capplan("validate", folder)):
        assert "\x1b" not in said.out + said.err


# ---------------------------------------------------------------- schema


@pytest.mark.parametrize("what", [Schema.MODEL, Schema.INVENTORY])
def test_shipped_schemas_are_what_the_command_prints(what: Schema):
    """docs/schema is generated: ``capplan schema model > docs/schema/model.json``."""
    assert (CHECKOUT / f"docs/schema/{what}.json").read_text("utf-8") == capplan("schema", what).out


def test_schema_without_a_name_prints_all():
    """All schemas in one document."""
    assert json.loads(capplan("schema").out).keys() == {"format_version", *map(str, Schema)}


def test_shipped_files_name_schemas_that_exist():
    """The line that gives editors completion leads to a file, in every shipped model and inventory."""
    files = [*shipped.folder("models").glob("*.yaml"), *shipped.folder("inventories").glob("*/*.yaml")]
    assert files
    for file in files:
        [target] = re.findall(r"\A# yaml-language-server: \$schema=(\S+)", file.read_text("utf-8"))
        assert (file.parent / target).is_file(), file


# ---------------------------------------------------------------- init


def test_a_new_inventory_is_sound_and_solves_at_once(tmp_path: Path):
    """What ``init`` writes has no fault, not even a warning, and a proved plan under every scenario of its model."""
    folder = tmp_path / "mine"
    assert capplan("init", folder).code == 0
    assert capplan("validate", folder, "--strict").code == 0
    for scenario in ([], ["--scenario", "nothing-bought"], ["--scenario", "without-south"]):
        said = capplan("solve", folder, "-o", tmp_path / "run", *scenario)
        assert said.code == 0, said.out + said.err
        assert said.out.startswith("Optimal plan")


def test_the_next_commands_that_init_prints_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every command it names runs as printed."""
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^  capplan (.*)$", capplan("init", "mine").out, re.MULTILINE)
    assert len(commands) == 2
    assert [capplan(*command.split()).code for command in commands] == [0, 0]


@pytest.mark.parametrize("name", shipped.names("inventories"))
def test_every_example_can_be_copied(name: str, tmp_path: Path):
    """A copied example reads like the shipped one, and its editors' schema lies beside it."""
    folder = tmp_path / "copy"
    assert capplan("init", folder, "--example", name).code == 0
    assert capplan("validate", folder, "--strict").code == 0
    [target] = re.findall(r"\$schema=(\S+)", (folder / "inventory.yaml").read_text("utf-8"))
    assert json.loads((folder / target).read_text("utf-8"))["title"] == "capplan inventory"


def test_init_never_touches_what_is_there(tmp_path: Path):
    """A folder with anything in it, and a file, are refused and left as they are."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep", "utf-8")
    for target in ("full", "full/mine.txt"):
        assert capplan("init", tmp_path / target).code == 2
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert capplan("init", tmp_path / "empty").code == 0


# ---------------------------------------------------------------- streams


def test_nobody_minds_a_reader_that_leaves(tmp_path: Path):
    """``capplan schema | head -1``: no complaint on stderr, and the command's own exit code."""
    call_ = subprocess.Popen(
        [sys.executable, "-m", "capplan", "schema"], cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert call_.stdout is not None
    call_.stdout.readline()
    call_.stdout.close()
    assert call_.stderr is not None
    err = call_.stderr.read()
    call_.stderr.close()
    assert (call_.wait(), err) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {}, False),
        (["--color", "never"], {}, False),
    ],
)
def test_colour_only_where_it_is_wanted(
    arguments: list[str], environment: dict[str, str], colored: bool, tmp_path: Path
):
    """No colour in pipes unless it is asked for; asking wins over NO_COLOR."""
    said = call(
        "check", write_folder(tmp_path / "i", {"allocation": "workload,site\nW1,A\nW2,B\n"}), *arguments, **environment
    )
    assert ("\x1b[" in said.out) is colored
    assert said.code == 0, said.err


@pytest.mark.skipif(not shutil.which("script"), reason="script makes a terminal")
def test_no_color_holds_on_a_terminal(tmp_path: Path):
    """On a terminal headings are bold, and NO_COLOR (https://no-color.org) switches that off."""
    folder = write_folder(tmp_path / "i", {"allocation": "workload,site\nW1,A\nW2,B\n"})

    def on_terminal(**environment: str) -> Said:
        line = f"{sys.executable} -m capplan check {folder}"
        known = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
        done = subprocess.run(
            ["script", "-qec", line, "/dev/null"],
            check=False,
            cwd=CHECKOUT,
            env=known | environment,
            capture_output=True,
            text=True,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    assert "\x1b[1m" in on_terminal().out
    assert "\x1b[" not in on_terminal(NO_COLOR="1").out
