"""``capplan init``."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from capplan import shipped
from capplan.cli.schemas import Schema, schema_of
from capplan.cli.terminal import Terminal, json_text
from capplan.errors import UsageError, did_you_mean

STARTER = Path(__file__).parent / "starter"
SCHEMAS = ".schema"
_SCHEMA_LINE = re.compile(r"(?<=\$schema=)\S*/(?=(?:inventory|model)\.json)")


def init(terminal: Terminal, folder: Path, example: str | None) -> int:
    """Copy a small inventory, or the shipped ``example``, into a folder that is new or empty."""
    source = STARTER if example is None else _example(example)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name a folder that is new or empty")
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.iterdir()):
        _copy(file, folder / file.name)
    _write_schemas(folder)
    terminal.say(f"{folder} is ready. Next:")
    terminal.say(f"  edit {folder / 'sites.csv'} and {folder / 'workloads.csv'}")
    terminal.say(f"  capplan validate {_shell(folder)}")
    terminal.say(f"  capplan solve {_shell(folder)}")
    return 0


def _example(name: str) -> Path:
    known = shipped.names("inventories")
    if name not in known:
        hint = did_you_mean(name, known, f"examples: {', '.join(known)}")
        raise UsageError(f'no example is called "{name}"; {hint}')
    return shipped.folder("inventories") / name


def _copy(source: Path, target: Path) -> None:
    """Copy a file; the line that tells editors where the schema is then names the copy beside it."""
    if source.suffix == ".yaml":
        text = _SCHEMA_LINE.sub(f"{SCHEMAS}/", source.read_text("utf-8"), count=1)
        target.write_bytes(text.encode("utf-8"))
    elif source.is_file():
        shutil.copyfile(source, target)


def _write_schemas(folder: Path) -> None:
    (folder / SCHEMAS).mkdir()
    for what in (Schema.INVENTORY, Schema.MODEL):
        path = folder / SCHEMAS / f"{what}.json"
        path.write_bytes(f"{json_text(schema_of(what))}\n".encode())


def _shell(folder: Path) -> str:
    text = str(folder)
    return f'"{text}"' if " " in text else text
