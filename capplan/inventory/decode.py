"""Files of text: UTF-8, with or without a byte-order mark, or a fault that says what they are instead."""

from __future__ import annotations

from pathlib import Path

from capplan.errors import Faults, Place
from capplan.inventory.source import physical_lines

LARGEST_FILE = 512 * 2**20
MARK_MISREAD = "\u00ef\u00bb\u00bf"
"""What the byte-order mark of UTF-8 becomes in a program that takes it for Windows-1252."""


def read_text(path: Path, file: str, faults: Faults) -> str | None:
    """The text of a UTF-8 file with or without a byte-order mark; None (with a fault) where it is none."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            limit = f"{LARGEST_FILE // 2**20} MB"
            faults.error(Place(file), "too-large", f"the file is larger than {limit}", "split it")
            return None
        content = path.read_bytes()
    except OSError as error:
        faults.error(Place(file), "unreadable-file", f"cannot be read: {error.strerror}", "check the path")
        return None
    try:
        # Not utf-8-sig: its errors do not count the byte-order mark.
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        _encoding_fault(content, error.start, file, faults)
        return None
    if "\0" in text:
        before = physical_lines(text[: text.index("\0") + 1])
        code, what = ("nul-byte", "binary: it holds NUL bytes")
        if _is_utf16(content):
            code, what = ("utf-16-file", "UTF-16")
        faults.error(Place(file, len(before)), code, f"the file is {what}", 'save it as "CSV UTF-8"')
        return None
    if text.lstrip('"').startswith(MARK_MISREAD):
        message = "the file was read as Windows-1252 and saved so: its byte-order mark is text now"
        fix = 'open the original once more, as UTF-8, and save it as "CSV UTF-8"'
        faults.error(Place(file, 1, 1), "encoding-not-utf8", message, fix)
        return None
    return text


def _is_utf16(content: bytes) -> bool:
    """Whether the bytes begin with UTF-16's mark, or like ASCII text with a NUL beside every character."""
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return marked or content[1:40:2].count(0) > 5 or content[0:40:2].count(0) > 5


def _encoding_fault(content: bytes, at: int, file: str, faults: Faults) -> None:
    """Tell the byte at offset ``at``, the first that is not UTF-8."""
    if _is_utf16(content):
        faults.error(Place(file), "utf-16-file", "the file is UTF-16", 'save it as "CSV UTF-8"')
        return
    before = content[:at].decode("utf-8").removeprefix("\ufeff")
    lines = physical_lines(before + "?")
    place = Place(file, len(lines), len(lines[-1]))
    byte = f"byte {at} (0x{content[at]:02x})"
    if not (before + content[at + 1 :].decode("utf-8", errors="ignore")).isascii():
        message = f"{byte} is not UTF-8, while other characters are: two encodings are mixed"
        faults.error(place, "mixed-encodings", message, "retype that character, save as UTF-8")
        return
    message = f"{byte} is not UTF-8; the file looks like Windows-1252"
    faults.error(place, "encoding-not-utf8", message, 'save it as "CSV UTF-8"')
