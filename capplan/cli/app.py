"""The commands and their options.

What a command needs is imported inside it, so that ``capplan --help`` answers at once.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

import capplan
from capplan.cli.command import command
from capplan.cli.engines import EngineName
from capplan.cli.faults import FaultFormat
from capplan.cli.schemas import Schema, SchemaFormat
from capplan.cli.terminal import Terminal

app = typer.Typer(
    # Without rich, which would take longer to load than the help takes to read.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; ends the process with one of the documented exit codes."""
    app()


def _version(value: bool) -> None:
    if value:
        typer.echo(f"capplan {capplan.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Plan which workload goes to which data centre, and prove how good the plan is.

    Exit codes: 0 done, 1 findings (mistakes in the input, broken rules), 2 wrong usage, 3 proved infeasible,
    4 stopped without a plan, 70 a defect of capplan, 130 interrupted (the best plan so far is saved).
    """


def _seconds(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f'"{text}" is not a number of seconds; write one such as 60') from None


def _percent(text: str) -> Fraction:
    number = text.strip().removesuffix("%").strip()
    try:
        return Fraction(Decimal(number)) / 100
    except (InvalidOperation, ValueError, OverflowError):
        raise typer.BadParameter(f'"{text}" is not a percentage; write one such as 0.5%') from None


InventoryFolder = Annotated[Path, typer.Argument(metavar="INVENTORY", help="The inventory's folder.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="Planning model: a shipped name or a YAML file. Default: the one the inventory names, else standard.",
    ),
]
Scenario = Annotated[str | None, typer.Option("--scenario", metavar="NAME", help="A scenario of the model.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
@command
def init(
    terminal: Terminal,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    example: Annotated[
        str | None, typer.Option(metavar="NAME", help="Copy a shipped inventory instead of a small new one.")
    ] = None,
) -> int:
    """Make a new inventory to start from."""
    from capplan.cli.starting import init as run

    return run(terminal, folder, example)


@app.command()
@command
def validate(
    terminal: Terminal,
    inventory: InventoryFolder,
    model: ModelName = None,
    scenario: Scenario = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    how: Annotated[FaultFormat, typer.Option("--format", help="How to write the mistakes.")] = FaultFormat.TEXT,
) -> int:
    """Tell every mistake in an inventory and its model, each with its place and what would be right."""
    from capplan.cli.validating import validate as run

    return run(terminal, inventory, model, scenario, strict=strict, how=how)


@app.command()
@command
def solve(  # noqa: PLR0913, PLR0917 - these are the options of the main job
    terminal: Terminal,
    inventory: InventoryFolder,
    model: ModelName = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="RUN", help="Folder of the run. Default: runs/<time>-<title>."),
    ] = None,
    scenario: Scenario = None,
    time_limit: Annotated[
        Decimal | None,
        typer.Option(parser=_seconds, metavar="S", help="Seconds before the search stops."),
    ] = None,
    gap: Annotated[
        Fraction | None,
        typer.Option(
            parser=_percent, metavar="P", help="Stop this close to the best possible, in percent: 0.5 or 0.5%."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Start of the random numbers.")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Threads to search with.")] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN_OR_ALLOCATION",
            help="A run or an allocation.csv to start from; moves are counted against it.",
        ),
    ] = None,
    pin: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An allocation.csv; workloads with a site in it stay there."),
    ] = None,
    as_json: Json = False,
    engine: Annotated[
        EngineName,
        typer.Option("--engine", help="How to search; auto takes what fits the size and structure."),
    ] = EngineName.AUTO,
) -> int:
    """Find the best plan, prove how good it is, and save it as a run. The last line printed is the run's folder.

    Ctrl-C stops the search and saves the best plan so far.
    """
    from capplan.cli.solving import Wanted
    from capplan.cli.solving import solve as run

    wanted = Wanted(inventory, model, scenario, output, time_limit, gap, seed, workers, start, pin, engine.value)
    return run(terminal, wanted, as_json=as_json)


@app.command()
@command
def check(
    terminal: Terminal,
    subject: Annotated[Path, typer.Argument(metavar="RUN_OR_INVENTORY", help="Folder of a run or an inventory.")],
    allocation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An allocation.csv, edited or not. Default: the run's, or where all is today."
        ),
    ] = None,
    purchases: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A purchases.csv. Default: the run's, else none.")
    ] = None,
    model: ModelName = None,
    scenario: Scenario = None,
    as_json: Json = False,
) -> int:
    """Measure an allocation against every rule, without placing or buying anything."""
    from capplan.cli.checking import check as run

    return run(terminal, subject, (allocation, purchases), (model, scenario), as_json=as_json)


@app.command()
@command
def links(  # noqa: PLR0913, PLR0917 - these are its options
    terminal: Terminal,
    inventory: InventoryFolder,
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN", help="A run, or an allocation.csv, that says where workloads are. Default: pins and today."
        ),
    ] = None,
    model: ModelName = None,
    scenario: Scenario = None,
    graph: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the network as .graphml or .dot as well.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the checks that pass as well.")] = False,
    as_json: Json = False,
) -> int:
    """Check what must talk to what: round trips, bandwidth, zones, and what any single failure cuts.

    Ends without a site are tried at every site that is open to them.
    """
    from capplan.cli.linking import links as run_links

    return run_links(terminal, inventory, run, (model, scenario), graph, every=every, as_json=as_json)


@app.command()
@command
def show(
    terminal: Terminal,
    folder: RunFolder,
    table: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="A table, such as sites. Default: the summary.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Show a run: its summary, or one of its tables (columns without content are left out)."""
    from capplan.cli.showing import show as run

    return run(terminal, folder, table, as_json=as_json)


@app.command()
@command
def runs(
    terminal: Terminal,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to look.")] = Path("runs"),
    as_json: Json = False,
) -> int:
    """List the runs in a folder, oldest first."""
    from capplan.cli.showing import runs as run

    return run(terminal, folder, as_json=as_json)


@app.command()
@command
def schema(
    terminal: Terminal,
    what: Annotated[
        Schema | None,
        typer.Argument(
            metavar="WHAT",
            help="model, inventory or tables: JSON Schema of a model or inventory.yaml, or the tables and columns.",
        ),
    ] = None,
    form: Annotated[SchemaFormat, typer.Option("--format", help="How to print it.")] = SchemaFormat.JSON,
) -> int:
    """Print what a model, an inventory.yaml and the tables may contain."""
    from capplan.cli.schemas import schema as run

    return run(terminal, what, form)
