"""The headline answers: what a reader wants to know first, in plain words."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from capplan.report.blocks import Answer, Answers, Section, Tone
from capplan.report.facts import Facts
from capplan.report.fullness import Level, fullest
from capplan.report.sections import charges, money
from capplan.report.sections.site_loss import Loss, carried_text, down_text, losses
from capplan.report.words import counted, figure, joined, percent, period_text

NAMED = 6
LOSSES_NAMED = 4


def section(facts: Facts) -> Section | None:
    """Answers for a run with a plan; one without has ``sections.no_plan``."""
    if not facts.has_plan:
        return None
    answers = [_planned(facts), _costs(facts), _full(facts), *_lost(facts), *_left_out(facts), *_links(facts)]
    return Section("answers", "In short", [Answers(answers)])


def _planned(facts: Facts) -> Answer:
    head, rows = facts.info["headline"], facts.rows("allocation")
    if not rows:
        said = ["The inventory has no workloads: there is nothing to place."]
        return Answer("What is planned?", said, Tone.PLAIN, "", "sites")
    organisations = {row["organisation"] for row in rows if row["status"] == "placed"} - {""}
    owners = f" of {counted(len(organisations), 'organisation')}" if organisations else ""
    have = "has its" if head["placed"] == 1 else "have their"
    sites = f"{head['sites_used']} of {counted(len(facts.sites), 'site')}"
    rest = f"{head['left_out']:,} left out." if head["left_out"] else "None is left out."
    said = [f"{counted(head['placed'], 'workload')}{owners} {have} place at {sites}, {facts.horizon}. {rest}"]
    said += _at_sites(facts)
    known = [row for row in rows if row["current_site"]]
    if known:
        moves = counted(head["moved"], "workload moves", "workloads move")
        said.append(f"{moves} from where they are today." if head["moved"] else "Nothing moves from where it is today.")
    bought = list(dict.fromkeys(row["purchase"] for row in facts.rows("purchases")))
    if bought:
        said.append(f"To be bought: {joined(bought, NAMED)}.")
    stated = len(facts.inventory.assumptions)
    if stated:
        said.append(f"All of it rests on {counted(stated, 'assumption')}, at the end of this page.")
    return Answer("What is planned?", said, Tone.PLAIN, "", "allocation")


def _at_sites(facts: Facts) -> list[str]:
    """What the sites with the most workloads take; copies are named apart."""
    placed: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in facts.rows("allocation"):
        if row["site"]:
            placed[row["site"]].append((row["workload"], row["replica_of"]))
    said = []
    for site, workloads in sorted(placed.items(), key=lambda item: (-len(item[1]), item[0]))[:NAMED]:
        own = sorted((w for w, primary in workloads if not primary), key=lambda w: (facts.priority(w), w))
        copies = sorted((p for _, p in workloads if p), key=lambda w: (facts.priority(w), w))
        parts = [joined([facts.workload(w) for w in own], NAMED)] if own else []
        if copies:
            names = [facts.workload_names.get(w) or w for w in copies]
            parts.append(f"{'a copy' if len(names) == 1 else 'copies'} of {joined(names, NAMED)}")
        said.append(f"{facts.site(site)}: {'; and '.join(parts)}.")
    more = len(placed) - NAMED
    return said + ([f"And {counted(more, 'more site')}."] if more > 0 else [])


def _costs(facts: Facts) -> Answer:
    question = "What does it cost, and whom?"
    if not facts.rows("costs") and facts.rows("charges"):
        return Answer(question, charges.said(facts), Tone.PLAIN, "", "charges")
    if not facts.rows("costs"):
        said = ["Nothing in this inventory has a price, so the plan has no cost to show."]
        return Answer(question, said, Tone.PLAIN, "no prices given")
    cost, whole = facts.info["cost"], money.total(facts)
    yearly = "" if cost["horizon_days"] == 365 else f", {facts.money(facts.pence(str(cost['per_year'])))} a year"
    kinds = [f"{kind} {facts.money(amount)}" for (kind,), amount in money.by(facts, "kind").items()]
    said = [f"{facts.money(whole)} over {cost['horizon_days']:,} days{yearly}: {joined(kinds, NAMED)}."]
    shares = list(money.by(facts, "organisation").items())
    named = [f"{facts.organisation(o)} {facts.money(amount)}" for (o,), amount in shares[:NAMED]]
    more = f" and {len(shares) - NAMED:,} more" if len(shares) > NAMED else ""
    said.append(f"It falls on {'; '.join(named)}{more}.")
    said += _saving(facts)
    said += charges.said(facts)
    return Answer(question, said, Tone.PLAIN, "", "cost")


def _saving(facts: Facts) -> list[str]:
    base = facts.info["baseline"]
    if not base or base["saving"] is None:
        return []
    saving = facts.pence(str(base["saving"]))
    text = f"{facts.money(saving)} less" if saving >= 0 else f"{facts.money(-saving)} more"
    like = "" if base["like_for_like"] else " The two are not about the same workloads."
    return [f"Today costs {facts.money(facts.pence(str(base['cost'])))}; the plan {text}.{like}"]


def _full(facts: Facts) -> Answer:
    question = "What is nearly full?"
    levels = [level for level in fullest(map(Level.of, facts.rows("sites"))) if level.used and level.share is not None]
    if not levels:
        return Answer(question, ["No site has a limit that anything uses."], Tone.PLAIN)
    tight = [level for level in levels if level.mark]
    if tight:
        said = [_level(facts, level) for level in tight[:NAMED]]
        more = len(tight) - NAMED
        said += [f"And {more:,} more."] if more > 0 else []
        over = any(level.mark == "over" for level in tight)
        word = f"{counted(len(tight), 'limit')} nearly full or full" if not over else "over its limit"
        return Answer(question, said, Tone.BAD if over else Tone.WATCH, word, "sites")
    said = ["Nothing is nearly full (95 % of what may be used). The fullest:"]
    said += [_level(facts, level) for level in levels[:2]]
    return Answer(question, said, Tone.GOOD, "room everywhere", "sites")


def _level(facts: Facts, level: Level) -> str:
    assert level.usable is not None
    when = f" ({period_text(level.period)})" if len(facts.periods) > 1 else ""
    left = level.usable - level.used
    rest = f"{figure(left)} {level.unit} left" if left >= 0 else f"{figure(-left)} {level.unit} too much"
    kept = ""
    if level.capacity is not None and level.capacity > level.usable:
        kept = f", with {figure(level.capacity - level.usable)} {level.unit} of headroom kept free besides"
    what = facts.resource(level.resource)
    return (
        f"{facts.site(level.site)}, {what}: {figure(level.used)} of {figure(level.usable)} {level.unit} usable, "
        f"{percent(level.share)}{when}; {rest}{kept}."
    )


def _lost(facts: Facts) -> list[Answer]:
    found = losses(facts)
    worst = sorted(found, key=lambda loss: (-len(loss.down), loss.site))[:LOSSES_NAMED]
    answers = [_loss(facts, loss) for loss in sorted(worst, key=lambda loss: loss.site)]
    if len(found) > LOSSES_NAMED:
        more = f"The other {len(found) - LOSSES_NAMED:,} sites are in the section on losses."
        answers.append(Answer("What if another site is lost?", [more], Tone.PLAIN, "", "loss"))
    return answers


def _loss(facts: Facts, loss: Loss) -> Answer:
    said = [text for text in (down_text(facts, loss), carried_text(facts, loss)) if text]
    down = len(loss.down)
    word = f"{counted(down, 'workload')} down" if down else "everything is carried"
    name = facts.sites[loss.site].text if loss.site in facts.sites else loss.site
    return Answer(f"What breaks if {name} is lost?", said, Tone.WATCH if down else Tone.GOOD, word, "loss")


def _left_out(facts: Facts) -> list[Answer]:
    rows = facts.rows("left_out")
    if not rows:
        return []
    names = [facts.workload(row["workload"]) for row in rows]
    value = sum((facts.pence(row["value"]) for row in rows), Fraction(0))
    said = [f"{joined(names, NAMED)}."]
    said += [f"That forgoes {facts.money(value)} a year."] if value else []
    verb = counted(len(rows), "workload")
    return [Answer("What is left out?", said, Tone.WATCH, verb, "left-out")]


def _links(facts: Facts) -> list[Answer]:
    rows = facts.rows("links")
    if not rows:
        return []
    failing = list(dict.fromkeys(row["link"] for row in rows if row["status"] == "fail"))
    single = [row for row in rows if row["check"] == "point_of_failure" and row["status"] == "warn"]
    warned = any(row["status"] == "warn" for row in rows)
    said = [f"These do not: {joined(failing, NAMED)}." if failing else "Yes, while everything works."]
    said += [f"The loss of {row['link']} {row['note']}." for row in single[:NAMED]]
    said += [f"And of {counted(len(single) - NAMED, 'more')}."] if len(single) > NAMED else []
    tone = Tone.BAD if failing else Tone.WATCH if warned else Tone.GOOD
    word = "links fail" if failing else "single points of failure" if single else "to watch" if warned else "all hold"
    return [Answer("Do the links hold?", said, tone, word, "network")]
