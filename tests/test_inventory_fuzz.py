"""Shipped inventories with their bytes spoilt: faults with a place or an inventory, never a crash.

Run as a program for many cases: ``python tests/test_inventory_fuzz.py 5000 [seed]``.
"""

import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from capplan.errors import BadInput, Fault, Severity
from capplan.inventory import Inventory, write_inventory
from capplan.load import read_inventory
from capplan.shipped import folder as shipped

EXAMPLES = ("dudley", "north-central-london")
CELLS = (
    b"1e9999 1e-99999999 NaN -1 0 -0 3,5 1_000 \xc2\xa35 20% =1+1 '=1 N/A ? 999999999999999999999 0.0000000000001 "
    b"2016-02-30 01/02/2016 42552 yes no unlimited ; a;b \xd9\xa3 \xef\xbc\x91 \xe2\x88\x925 [ { : & * ! - ~ null"
).split()
MARKS = (
    b",",
    b";",
    b'"',
    b"'",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b" ",
    b"\xc2\xa0",
    b"#",
)

Bytes = Callable[[random.Random, bytes], bytes]


def _flip(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]


def _insert(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content) + 1)
    return content[:at] + dice.choice(MARKS + tuple(CELLS)) + content[at:]


def _cut(dice: random.Random, content: bytes) -> bytes:
    first, last = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:] if last - first < 40 else content[:last]


def _repeat(dice: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    at = dice.randrange(len(lines))
    return b"".join(lines[:at] + [lines[at]] * dice.choice((2, 60)) + lines[at:])


def _move(dice: random.Random, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    lines.insert(dice.randrange(len(lines)), lines.pop(dice.randrange(len(lines))))
    return b"".join(lines)


def _cell(dice: random.Random, content: bytes) -> bytes:
    """Another cell, or word of YAML, in place of one."""
    lines = content.split(b"\n")
    at = dice.randrange(len(lines))
    separator = b"," if b"," in lines[at] else b" "
    cells = lines[at].split(separator)
    cells[dice.randrange(len(cells))] = dice.choice([*CELLS, b"", b"x" * 300, b"9" * 5000, cells[-1]])
    lines[at] = separator.join(cells)
    return b"\n".join(lines)


def _recode(dice: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", errors="ignore")
    return text.encode(dice.choice(("utf-16", "utf-16-le", "cp1252", "utf-8-sig")), errors="replace")


WAYS: tuple[Bytes, ...] = (_flip, _insert, _cut, _repeat, _move, _cell, _cell, _cell, _recode)


def spoil(dice: random.Random, folder: Path) -> None:
    """Spoil one or two files of an inventory once or a few times; rarely lose one."""
    files = sorted(path for path in folder.iterdir() if path.name != "model.yaml")
    for path in dice.sample(files, dice.choice((1, 1, 2))):
        content = path.read_bytes()
        for _ in range(dice.choice((1, 1, 1, 2, 5))):
            content = dice.choice(WAYS)(dice, content) if content else content
        path.write_bytes(content)
    if dice.random() < 0.02:
        dice.choice(files).unlink()


def outcome(folder: Path) -> Inventory | tuple[Fault, ...]:
    """What reading gives; anything but an inventory or BadInput escapes."""
    try:
        return read_inventory(folder)
    except BadInput as bad:
        return bad.faults


def assert_located(folder: Path, faults: tuple[Fault, ...]) -> None:
    """Every fault lies inside a file of the folder, and an error says what to do."""
    assert any(fault.severity is Severity.ERROR for fault in faults)
    for fault in faults:
        path = Path(fault.place.file)
        assert path.parent == folder, fault
        assert "\n" not in str(fault)
        assert fault.fix or fault.severity is Severity.WARNING or "more of the same" in fault.message, fault
        if fault.place.line:
            # At most: a line may end in more ways than these bytes say.
            ends = path.read_bytes().replace(b"\r", b"\n").count(b"\n")
            # YAML puts what is missing at the end into the line after the last.
            assert 1 <= fault.place.line <= ends + (2 if path.suffix == ".yaml" else 1), fault


def fuzz(cases: int, seed: int) -> Counter[str]:
    """Spoil and read ``cases`` inventories; how many could still be read, and the codes of the others."""
    found: Counter[str] = Counter()
    with TemporaryDirectory() as name:
        for case in range(cases):
            dice = random.Random(f"{seed} {case}")
            folder = Path(name) / "spoilt"
            shutil.copytree(shipped("inventories") / dice.choice(EXAMPLES), folder)
            spoil(dice, folder)
            try:
                found.update(_one(folder, Path(name) / "again"))
            except Exception:
                print(f"case {case} of seed {seed} failed", file=sys.stderr)
                raise
            shutil.rmtree(folder)
    return found


def _one(folder: Path, again: Path) -> set[str]:
    result = outcome(folder)
    if not isinstance(result, Inventory):
        assert_located(folder, result)
        return {fault.code for fault in result}
    write_inventory(result, again)
    assert read_inventory(again) == result
    shutil.rmtree(again)
    return {"readable"}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_spoilt_inventory_is_told_with_places_or_reads_and_survives_being_written(seed):
    found = fuzz(40, seed)
    assert found["readable"]
    assert len(found) > 8


if __name__ == "__main__":
    cases, seed = (*map(int, sys.argv[1:]), 0, 0)[:2] if len(sys.argv) > 1 else (1000, 0)
    for code, number in fuzz(cases, seed).most_common():
        print(f"{number:6} {code}")
