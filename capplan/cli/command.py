"""What every command shares: how it talks, and which exit code each kind of end has."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Any, get_type_hints

import typer

from capplan.cli.faults import complain
from capplan.cli.terminal import Color, Terminal
from capplan.errors import BadInput, Defect, UsageError, printable


class Exit(IntEnum):
    """Exit codes, as documented."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    INFEASIBLE = 3
    NO_PLAN = 4
    DEFECT = 70
    INTERRUPTED = 130


_SHARED = {
    "color": Annotated[Color, typer.Option("--color", help="When to use colour.")],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but results and errors.")],
    "verbose": Annotated[bool, typer.Option("--verbose", "-v", help="Show the traceback of a defect.")],
}
_DEFAULTS = {"color": Color.AUTO, "quiet": False, "verbose": False}


def command(function: Callable[..., int]) -> Callable[..., None]:
    """A command out of a function that takes a Terminal and returns an exit code.

    Its options become those of the function, and ``--color``, ``-q`` and ``-v``, which make the Terminal.
    """

    def run(**options: Any) -> None:
        terminal = Terminal(*(options.pop(name) for name in _SHARED))
        raise typer.Exit(_exit_code(terminal, lambda: function(terminal, **options)))

    hints = get_type_hints(function, include_extras=True) | _SHARED
    own = list(inspect.signature(function).parameters.values())[1:]
    given = {parameter.name: parameter.default for parameter in own} | _DEFAULTS
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[name])
        for name, default in given.items()
    ]
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.__annotations__ = {name: hints[name] for name in given}
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions may carry one
    return run


def _exit_code(terminal: Terminal, run: Callable[[], int]) -> int:
    """Run a command; whatever ends it becomes a message and an exit code."""
    try:
        return run()
    except BadInput as error:
        complain(terminal, error.faults)
        return Exit.FINDINGS
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last resort: all else is a defect of ours
        code, message = _end(error)
        if terminal.verbose and code is not Exit.INTERRUPTED:
            traceback.print_exc(file=sys.stderr)
        terminal.complain(printable(f"capplan: {message}"))
        return code


_REPORT = "Please report it, with the command and what it prints with -v added"

_ENDS: tuple[tuple[type[BaseException], Exit, str], ...] = (
    (UsageError, Exit.USAGE, "{error}"),
    (KeyboardInterrupt, Exit.INTERRUPTED, "interrupted"),
    (
        OverflowError,
        Exit.FINDINGS,
        "a number is too large to be computed exactly ({error}); look for a quantity that is far too large",
    ),
    (MemoryError, Exit.DEFECT, "there is not enough memory for this inventory"),
    (Defect, Exit.DEFECT, f"capplan contradicted itself: {{error}}. {_REPORT}"),
    (BaseException, Exit.DEFECT, f"a defect of capplan: {{name}}: {{error}}. {_REPORT}"),
)


def _end(error: BaseException) -> tuple[Exit, str]:
    """Exit code and message of what ended a command."""
    # Ctrl-C while a compiled module loads arrives as an ImportError that names it as its cause.
    if isinstance(error, ImportError) and isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
        error = KeyboardInterrupt()
    if isinstance(error, OSError):
        return Exit.USAGE, _os_text(error)
    code, message = next((code, message) for kind, code, message in _ENDS if isinstance(error, kind))
    return code, message.format(error=error, name=type(error).__name__)


def _os_text(error: OSError) -> str:
    named = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{named}"
