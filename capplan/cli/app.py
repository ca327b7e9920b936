"""The commands and their options.

What a command needs is imported inside it, so that ``capplan --help`` answers at once.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import capplan
from capplan.cli.command import command
from capplan.cli.engines import EngineName
from capplan.cli.faults import FaultFormat
from capplan.cli.formats import ExportFormat
from capplan.cli.schemas import Schema, SchemaFormat
from capplan.cli.terminal import Terminal

if TYPE_CHECKING:
    from capplan.model.adhoc import Asked

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
Scenario = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME", help="A scenario of the model; NAME+NAME lays one over the other."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="CHANGE",
        help="Change a cell or the model: sites.B.power_kw=11, 'workloads.*.power_kw*=1.1', sites.B.fte+=2, "
        "rules.zone=off, purchases=none. May be repeated.",
    ),
]
Removes = Annotated[
    list[str] | None, typer.Option("--remove", metavar="ROW", help="Leave a row out: sites.B. May be repeated.")
]
Adds = Annotated[
    list[str] | None,
    typer.Option("--add", metavar="ROW", help="Add a row: 'sites: {site: C, power_kw: 10}'. May be repeated."),
]
TimeLimit = Annotated[
    Decimal | None, typer.Option(parser=_seconds, metavar="S", help="Seconds before the search stops.")
]
Gap = Annotated[
    Fraction | None,
    typer.Option(parser=_percent, metavar="P", help="Stop this close to the best possible, in percent: 0.5 or 0.5%."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", metavar="N", min=1, help="Runs solved at a time. Default: one a core.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def _asked(sets: list[str] | None, removes: list[str] | None, adds: list[str] | None) -> Asked:
    from capplan.model.adhoc import Asked

    return Asked.of(sets or (), removes or (), adds or ())


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
def validate(  # noqa: PLR0913, PLR0917 - options of a command
    terminal: Terminal,
    inventory: InventoryFolder,
    model: ModelName = None,
    scenario: Scenario = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    how: Annotated[FaultFormat, typer.Option("--format", help="How to write the mistakes.")] = FaultFormat.TEXT,
    sets: Sets = None,
    removes: Removes = None,
    adds: Adds = None,
) -> int:
    """Tell every mistake in an inventory and its model, each with its place and what would be right."""
    from capplan.cli.validating import validate as run

    return run(terminal, inventory, (model, scenario), strict=strict, how=how, asked=_asked(sets, removes, adds))


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
    time_limit: TimeLimit = None,
    gap: Gap = None,
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
    sets: Sets = None,
    removes: Removes = None,
    adds: Adds = None,
) -> int:
    """Find the best plan, prove how good it is, and save it as a run. The last line printed is the run's folder.

    Ctrl-C stops the search and saves the best plan so far.
    """
    from capplan.cli.solving import Wanted
    from capplan.cli.solving import solve as run

    asked = _asked(sets, removes, adds)
    wanted = Wanted(inventory, model, scenario, output, time_limit, gap, seed, workers, start, pin, engine.value, asked)
    return run(terminal, wanted, as_json=as_json)


@app.command()
@command
def check(  # noqa: PLR0913, PLR0917 - options of a command
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
    sets: Sets = None,
    removes: Removes = None,
    adds: Adds = None,
) -> int:
    """Measure an allocation against every rule, without placing or buying anything."""
    from capplan.cli.checking import check as run

    return run(
        terminal, subject, (allocation, purchases), (model, scenario), _asked(sets, removes, adds), as_json=as_json
    )


@app.command()
@command
def explain(  # noqa: PLR0913, PLR0917 - these are the questions that can be asked
    terminal: Terminal,
    subject: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or of an inventory.")],
    workload: Annotated[
        str | None,
        typer.Argument(metavar="WORKLOAD", help="Why it is where it is, and what every other site comes to."),
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="SITE", help="Ask about this site only.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="What each rule costs: switched off, solved again.")] = False,
    within: Annotated[
        Fraction | None,
        typer.Option("--alternatives", parser=_percent, metavar="P", help="Other plans that cost at most P% more."),
    ] = None,
    allocation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An allocation.csv to explain instead of the run's plan.")
    ] = None,
    purchases: Annotated[Path | None, typer.Option(metavar="FILE", help="A purchases.csv that goes with it.")] = None,
    model: ModelName = None,
    scenario: Scenario = None,
    time_limit: Annotated[
        Decimal, typer.Option(parser=_seconds, metavar="S", help="Seconds to look for explanations.")
    ] = "30",  # type: ignore[assignment]  # typer parses the default as it parses what is written
    as_json: Json = False,
) -> int:
    """Explain a run.

    Without a plan: what falls short, what conflicts, and the smallest changes that would do. With one: why a workload
    is where it is and not elsewhere; without WORKLOAD what one more unit of what is nearly used up is worth.
    """
    from capplan.cli.explaining import Asked
    from capplan.cli.explaining import explain as run

    asked = Asked(subject, workload, at, allocation, purchases, model, scenario, rules, within, float(time_limit))
    return run(terminal, asked, as_json=as_json)


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
def report(
    terminal: Terminal,
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="A run, a sweep, or several runs to be compared.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write it. Default: report.html in the folder; comparison.html for several runs.",
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> int:
    """Write a run, a sweep or several runs side by side as one HTML page without a network; print its path."""
    from capplan.cli.reporting import report as run

    return run(terminal, folders, output, show=show)


@app.command()
@command
def export(
    terminal: Terminal,
    folder: RunFolder,
    form: Annotated[ExportFormat, typer.Option("--format", help="What to write.")] = ExportFormat.XLSX,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it. Default: beside the run."),
    ] = None,
) -> int:
    """Write a run's tables as one Excel workbook, and print its path."""
    from capplan.cli.exporting import export as run

    return run(terminal, folder, form, output)


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
def compare(  # noqa: PLR0913, PLR0917 - options of a command
    terminal: Terminal,
    subjects: Annotated[
        list[Path], typer.Argument(metavar="A B [...]", help="Two or more folders, each of an inventory or a run.")
    ],
    model: ModelName = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where to save the runs of inventories. Default: runs."),
    ] = None,
    jobs: Jobs = None,
    time_limit: TimeLimit = None,
    gap: Gap = None,
    as_json: Json = False,
) -> int:
    """Hold inventories (solved under one model) or runs side by side: what goes in, and what comes out."""
    from capplan.cli.comparing import Wanted
    from capplan.cli.comparing import compare as run
    from capplan.jobs import Tuning

    return run(terminal, Wanted(tuple(subjects), model, output, jobs, Tuning(time_limit, gap)), as_json=as_json)


@app.command()
@command
def diff(
    terminal: Terminal,
    one: Annotated[Path, typer.Argument(metavar="RUN", help="The run to start from.")],
    other: Annotated[Path, typer.Argument(metavar="RUN", help="The run to get to.")],
    undone: Annotated[
        int, typer.Option("--undone", metavar="N", min=0, help="Moves to undo one by one, to tell what each is for.")
    ] = 50,
    as_json: Json = False,
) -> int:
    """What moves from one plan to another, and what each move changes."""
    from capplan.cli.comparing import diff as run

    return run(terminal, one, other, undone, as_json=as_json)


@app.command()
@command
def sweep(  # noqa: PLR0913, PLR0917 - options of a command
    terminal: Terminal,
    inventory: InventoryFolder,
    model: ModelName = None,
    scenarios: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="NAME,NAME",
            help="Scenarios of the model to try, NAME+NAME one over the other, or all; all if nothing is asked.",
        ),
    ] = None,
    each_site_lost: Annotated[bool, typer.Option("--each-site-lost", help="Every site lost in turn.")] = False,
    each_operator_lost: Annotated[
        bool,
        typer.Option(
            "--each-operator-lost", "--each-supplier-lost", help="Every operator's sites and circuits lost in turn."
        ),
    ] = False,
    growth: Annotated[
        str, typer.Option(metavar="RANGE", help="Demand grown by percentages: 0..30/4 is 0, 10, 20 and 30 %.")
    ] = "",
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="CHANGE",
            help="A change over values: 'sites.*.energy_price_kwh*=80%..120%/5', purchases=all,none. May be repeated.",
        ),
    ] = None,
    crossed: Annotated[bool, typer.Option("--cross", help="Every combination instead of one thing at a time.")] = False,
    sets: Sets = None,
    removes: Removes = None,
    adds: Adds = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="SWEEP",
            help="Folder of the sweep; one that was stopped goes on. Default: sweeps/<time>-<title>.",
        ),
    ] = None,
    jobs: Jobs = None,
    time_limit: TimeLimit = None,
    gap: Gap = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Solve again what the folder already has.")] = False,
    as_json: Json = False,
) -> int:
    """Try many scenarios, each a run of its own, and put them into one table and one chart.

    The last line printed is the sweep's folder. Ctrl-C keeps what is done; the same command with -o goes on.
    """
    from capplan.cli.sweeping import Wanted
    from capplan.cli.sweeping import sweep as run
    from capplan.jobs import Tuning
    from capplan.sweeping import Wishes

    names = tuple(name.strip() for text in scenarios or () for name in text.split(",") if name.strip())
    wishes = Wishes(names, each_site_lost, each_operator_lost, growth, tuple(ranges or ()), crossed)
    asked = _asked(sets, removes, adds)
    wanted = Wanted(inventory, model, wishes, asked, output, jobs, Tuning(time_limit, gap), fresh)
    return run(terminal, wanted, as_json=as_json)


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
