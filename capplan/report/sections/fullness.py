"""How full the sites are: by resource, at the fullest moment and over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from capplan.report.bars import level_bar
from capplan.report.blocks import Block, Column, Explorer, Figure, Fold, Key, Section, Table
from capplan.report.curves import use_chart
from capplan.report.facts import Facts
from capplan.report.fullness import Level, fullest
from capplan.report.words import counted, figure, joined, percent, period_text

SITES_DRAWN = 40
CURVES = 24

LEGEND = (
    Key("used", "used"),
    Key("used tight", "nearly full or full"),
    Key("used over", "over"),
    Key("usable", "line: what may be used, headroom kept free"),
    Key("track", "pale: all there is, purchases included"),
)
CURVE_LEGEND = (*LEGEND[:-1], Key("capacity", "dashed line: what there is, purchases included"))


def section(facts: Facts) -> Section | None:
    """Bars per resource, curves where there are several periods, and every figure to look up."""
    levels = [Level.of(row) for row in facts.rows("sites")]
    if not levels:
        return None
    used = [level for level in fullest(levels) if level.used]
    blocks: list[Block] = []
    for resource in dict.fromkeys(level.resource for level in levels):
        mine = [level for level in used if level.resource == resource]
        if mine:
            blocks.append(_bars(facts, mine, () if blocks else LEGEND))
    if len(facts.periods) > 1:
        blocks.append(_curves(facts, levels, used))
    blocks.append(Fold("Every site, resource and period", [_every(facts, levels)]))
    return Section("sites", "How full the sites are", blocks, _lead(facts, levels))


def _lead(facts: Facts, levels: list[Level]) -> str:
    names = sorted({level.site for level in levels} - {level.site for level in levels if level.used})
    idle = f" Not used: {joined([facts.site(n) for n in names], 10, 'more')}." if names else ""
    when = "in its fullest period" if len(facts.periods) > 1 else "over the whole time"
    return f"Each site {when}, fullest first.{idle}"


def _bars(facts: Facts, mine: list[Level], legend: Sequence[Key]) -> Table:
    longest = max(max(level.capacity or level.used, level.used) for level in mine)
    several = len(facts.periods) > 1
    columns = [
        Column("Site"),
        Column("Use", bar=True),
        Column("Used", numeric=True),
        Column("Usable", numeric=True),
        Column("There is", numeric=True),
        Column("Of usable", numeric=True),
        *([Column("Fullest in")] if several else []),
    ]
    rows = []
    for level in mine[:SITES_DRAWN]:
        when = [period_text(level.period)] if several else []
        usable, capacity = level.usable, level.capacity
        # Where there is no limit there is no line: the bar is alone.
        bar = level_bar(level.used, usable or level.used, capacity or level.used, level.mark, longest)
        share = f"{percent(level.share)} {level.mark}".strip()
        amounts = [figure(level.used), _limit(usable), _limit(capacity)]
        rows.append([facts.site(level.site), bar, *amounts, share, *when])
    unit, name = mine[0].unit, facts.resource(mine[0].resource)
    more = len(mine) - SITES_DRAWN
    note = f"and {counted(more, 'less full site')}: see every figure below" if more > 0 else ""
    return Table(f"{name.capitalize()}, in {unit}", columns, rows, note, legend)


def _limit(amount: Fraction | None) -> str:
    return "unlimited" if amount is None else figure(amount)


def _curves(facts: Facts, levels: list[Level], used: list[Level]) -> Figure:
    series: dict[tuple[str, str], list[Level]] = defaultdict(list)
    for level in levels:
        series[level.site, level.resource].append(level)
    drawings, rows = [], []
    for most in used[:CURVES]:
        mine = sorted(series[most.site, most.resource], key=lambda level: level.period)
        resource = facts.resource(most.resource)
        name = facts.sites[most.site].short if most.site in facts.sites else most.site
        drawings.append(use_chart(f"{name}: {resource}, {most.unit}", mine))
        rows += [[facts.site(x.site), resource, period_text(x.period), *_cells(x)] for x in mine]
    more = len(used) - CURVES
    note = f"The {CURVES} fullest; {more:,} more are in the figures below." if more > 0 else ""
    columns = [Column("Site"), Column("Resource"), Column("Period"), *_COLUMNS]
    return Figure("Use over time", drawings, Table("Use over time", columns, rows), CURVE_LEGEND, note)


_COLUMNS = tuple(Column(n, numeric=True) for n in ("Used", "Usable", "There is", "Free", "Of usable"))


def _cells(level: Level) -> list[str]:
    free = "unlimited" if level.usable is None else figure(level.usable - level.used)
    amounts = figure(level.used), _limit(level.usable), _limit(level.capacity), free
    return [f"{amount} {level.unit}" if amount != "unlimited" else amount for amount in amounts] + [
        f"{percent(level.share)} {level.mark}".strip()
    ]


def _every(facts: Facts, levels: list[Level]) -> Explorer:
    rows = [
        [
            facts.site(level.site),
            facts.resource(level.resource),
            level.unit,
            level.period,
            figure(level.used),
            _limit(level.usable),
            _limit(level.capacity),
            "" if level.usable is None else figure(level.usable - level.used),
            percent(level.share).removesuffix(" %"),
            level.mark,
        ]
        for level in levels
    ]
    columns = [
        Column("Site"),
        Column("Resource"),
        Column("Unit"),
        Column("Period"),
        *(Column(n, numeric=True) for n in ("Used", "Usable", "There is", "Free", "% of usable")),
        Column("Mark"),
    ]
    choose = ("Site", "Resource", "Period", "Mark")
    return Explorer("sites", "Every site, resource and period", columns, rows, choose, "sites.csv")
