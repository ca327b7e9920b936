"""Whole folders or none: written beside their place under a hidden name, then renamed into it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

PREFIX, SUFFIX = ".capplan-", ".partial"
GRACE_S = 60.0
"""A folder younger than this is left alone: its writer may not hold the lock yet."""

LONGEST_SLUG = 60


def slug(text: str) -> str:
    """A name of ``a`` to ``z``, digits and hyphens for any text; ``run`` where nothing is left.

    >>> slug("Dudley & Sandwell: ../etc")
    'dudley-sandwell-etc'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST_SLUG].strip("-") or "run"


@contextmanager
def partial_folder(parent: Path) -> Iterator[Path]:
    """A new hidden folder in ``parent``, locked as long as it is written; gone at the end unless it was renamed."""
    parent.mkdir(parents=True, exist_ok=True)
    remove_stale(parent)
    folder = _partial_name(parent)
    folder.mkdir()
    lock = _locked(folder)
    try:
        yield folder
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _partial_name(parent: Path) -> Path:
    return parent / f"{PREFIX}{secrets.token_hex(6)}{SUFFIX}"


def remove_stale(parent: Path) -> None:
    """Remove what writers left behind that died: hidden folders of ours whose lock nobody holds."""
    for folder in sorted(parent.glob(f"{PREFIX}*{SUFFIX}")):
        with suppress(FileNotFoundError):
            if folder.is_symlink() or not folder.is_dir() or time.time() - folder.stat().st_mtime < GRACE_S:
                continue
            lock = _locked(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """A lock on the folder that ends with the process, however that ends; None where it cannot be had."""
    if sys.platform == "win32":
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def sync(folder: Path) -> None:
    """Bring a folder and all in it to the disk."""
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    if sys.platform == "win32" and path.is_dir():
        return
    # Windows syncs only what is open for writing.
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish_new(partial: Path, wanted: Path) -> Path:
    """Rename a finished folder to ``wanted``, or to the first of ``wanted-2``, ``wanted-3`` … that is free."""
    sync(partial)
    target, number = wanted, 1
    while True:
        if not os.path.lexists(target):
            try:
                partial.rename(target)
                break
            except OSError:
                if not os.path.lexists(target):
                    raise
                # Another process was quicker; try the next name.
        number += 1
        target = wanted.with_name(f"{wanted.name}-{number}")
    _sync(target.parent)
    return target


def aside(target: Path) -> Path:
    """Where a run waits while its successor takes its place."""
    return target.with_name(f".{target.name}.replaced")


def publish_over(partial: Path, target: Path) -> None:
    """Rename a finished folder to ``target``, in place of an empty folder or a run that may be replaced.

    The old run steps aside first and comes back if the new one cannot take its place. A process killed between the two
    renames leaves it aside, and ``recover`` brings it back.
    """
    sync(partial)
    old = aside(target)
    replaces = target.is_dir() and any(target.iterdir())
    if replaces:
        target.rename(old)
    elif target.is_dir():
        target.rmdir()
    try:
        partial.rename(target)
    except OSError:
        if replaces and not os.path.lexists(target):
            old.rename(target)
        raise
    _sync(target.parent)
    if replaces:
        _discard(old)


def _discard(old: Path) -> None:
    """Remove a run that stepped aside.

    Under the name of a partial folder: were this killed halfway, what is left would stand in the way of the next run to
    step aside; so ``remove_stale`` clears it away.
    """
    rest = _partial_name(old.parent)
    old.rename(rest)
    shutil.rmtree(rest, ignore_errors=True)


def recover(target: Path) -> None:
    """Finish a replacement that was killed: bring the old run back if there is no new one, else remove it."""
    old = aside(target) if target.name else target
    if old == target or old.is_symlink() or not (old / "run.json").is_file():
        return
    if os.path.lexists(target):
        _discard(old)
    else:
        old.rename(target)
