"""Faults for people, for programs, and for the places where code is reviewed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import capplan
from capplan.cli.terminal import FORMAT_VERSION, Terminal, counted, json_text
from capplan.errors import Fault, Severity


class FaultFormat(StrEnum):
    """How ``validate`` writes faults."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def complain(terminal: Terminal, faults: Sequence[Fault]) -> None:
    """Every fault on a line of stderr, and how many there are. Quiet terminals hear of errors only."""
    told = [fault for fault in faults if not terminal.quiet or fault.severity is Severity.ERROR]
    for fault in told:
        terminal.complain(str(fault), warning=fault.severity is Severity.WARNING)
    if told:
        terminal.note(count_text(faults))


def count_text(faults: Sequence[Fault]) -> str:
    """``2 errors, 1 warning``."""
    number = Counter(fault.severity for fault in faults)
    return ", ".join(counted(number[severity], str(severity)) for severity in Severity if number[severity])


def faults_text(faults: Sequence[Fault], how: FaultFormat) -> str:
    """All faults in a format for programs."""
    if how is FaultFormat.GITHUB:
        return "\n".join(_github(fault) for fault in faults)
    if how is FaultFormat.SARIF:
        return json_text(_sarif(faults))
    return json_text({"format_version": FORMAT_VERSION, "faults": [fault.to_json() for fault in faults]})


def _words(fault: Fault) -> str:
    return f"{fault.message}; {fault.fix}" if fault.fix else fault.message


def _github(fault: Fault) -> str:
    """A workflow command; see "Workflow commands" in the documentation of GitHub Actions."""
    place = {"file": fault.place.file, "line": fault.place.line, "col": fault.place.column, "title": fault.code}
    found = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in place.items() if value)
    return f"::{fault.severity} {found}::{_escaped(_words(fault))}"


def _escaped(text: str, also: str = "") -> str:
    for mark in "%\r\n" + also:
        text = text.replace(mark, f"%{ord(mark):02X}")
    return text


def _sarif(faults: Sequence[Fault]) -> dict[str, object]:
    """SARIF 2.1.0 (OASIS, 2020), the little of it that review tools read."""
    codes = sorted({fault.code for fault in faults})
    driver = {"name": "capplan", "version": capplan.__version__, "rules": [{"id": code} for code in codes]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_sarif_result(fault) for fault in faults]}],
    }


def _sarif_result(fault: Fault) -> dict[str, object]:
    location: dict[str, object] = {"artifactLocation": {"uri": fault.place.file.replace("\\", "/")}}
    if fault.place.line:
        column = {"startColumn": fault.place.column} if fault.place.column else {}
        location["region"] = {"startLine": fault.place.line, **column}
    return {
        "ruleId": fault.code,
        "level": str(fault.severity),
        "message": {"text": _words(fault)},
        "locations": [{"physicalLocation": location}],
    }
