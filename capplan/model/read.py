"""Reading a planning model from a shipped name or a YAML file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel

from capplan import shipped
from capplan.errors import Faults, Place, Severity, UsageError, did_you_mean
from capplan.located import Located
from capplan.model.checked import checked, faulty_keys
from capplan.model.document import ModelKeys, Periods
from capplan.model.fields import kind_of
from capplan.model.layers import (
    Source,
    is_name,
    merged,
    named_source,
    part,
    read_chain,
    shipped_source,
    without,
)
from capplan.model.planning import Model, Solver
from capplan.model.scenarios import applied, in_one_form, is_off, stacked
from capplan.overlay import Overlay
from capplan.units import percent_text

SUSPECT_HEADROOM = Fraction(1, 2)


@dataclass(frozen=True)
class _Known:
    """What the floors above know: options of each rule, names of goals."""

    rules: Mapping[str, type[BaseModel]]
    goals: Collection[str]


def read_model(  # noqa: PLR0913 - where it stands and what is laid over it, by name
    source: str | Path,
    *,
    rules: Mapping[str, type[BaseModel]],
    goals: Collection[str],
    scenario: str | None = None,
    relative_to: Path | None = None,
    faults: Faults | None = None,
    named_at: Place | None = None,
    changes: Located | None = None,
) -> Model:
    """Read a model: ``source`` is a shipped name, or a path (it has a suffix or a separator).

    ``rules`` gives the options class of each rule that exists, ``goals`` the names of the goals. A relative
    path starts at ``relative_to``. ``named_at`` is where a file names the model: a bad name is then a fault
    there, and a path must stay relative; without it a bad name is a UsageError. ``scenario`` may name several,
    joined by ``+``; ``changes`` are laid over them (see ``capplan.model.adhoc``).

    Raises BadInput with every fault, and UsageError for a scenario that the model does not have. With
    ``faults`` given nothing is raised for faults: they are recorded there, and the model holds defaults in
    place of what was wrong, good only for finding further faults.
    """
    told = Faults() if faults is None else faults
    found = _source(str(source), relative_to or Path(), named_at, told)
    chain = read_chain(found, told) if found else []
    name = Path(str(source)).stem if not is_name(str(source)) else str(source)
    model = Model(name)
    if chain:
        layers = [without(in_one_form(located, told), "extends") for _, located in reversed(chain)]
        model = _resolved(name, reduce(merged, layers), (scenario, changes), _Known(rules, goals), told)
        model = replace(model, files=tuple(one.path for one, _ in chain))
    if faults is None:
        told.raise_errors()
    return model


def _source(text: str, folder: Path, named_at: Place | None, faults: Faults) -> Source | None:
    if named_at is not None:
        return named_source(text, folder, named_at, faults)
    if is_name(text):
        known = shipped.names("models")
        if text not in known:
            hint = did_you_mean(text, known, f"shipped models: {', '.join(known)}")
            raise UsageError(f'no model called "{text}" comes with capplan; {hint}')
        return shipped_source(text)
    path = folder / text
    if not path.is_file():
        raise UsageError(f'there is no model file "{path}"')
    return Source(path, str(path))


def _resolved(
    name: str, base: Located, chosen: tuple[str | None, Located | None], known: _Known, faults: Faults
) -> Model:
    """The model of a merged file, with every scenario in it checked and those chosen applied."""
    scenario, changes = chosen
    written = base.value.get("scenarios") if isinstance(base.value, dict) else None
    names = tuple(written) if isinstance(written, dict) else ()
    wanted = _named(name, scenario, names, faults)
    model = _model(name, base, known, faults)
    for one in names:
        _under(name, base, _Chosen([one]), known, faults)
    if wanted or changes is not None:
        model = _under(name, base, _Chosen(wanted, scenario, changes), known, faults)
    return replace(model, scenarios=names)


@dataclass(frozen=True)
class _Chosen:
    """Scenarios to apply one after the other, what the user called them, and changes without a name."""

    names: Sequence[str]
    called: str | None = None
    changes: Located | None = None

    @property
    def name(self) -> str | None:
        """What the scenario is called in a run; None for one that nobody asked for."""
        parts = (self.called, None if self.changes is None else self.changes.file)
        return ", ".join(filter(None, parts)) or None


def _named(name: str, scenario: str | None, names: Sequence[str], faults: Faults) -> list[str]:
    """The scenarios that ``scenario`` means: the one of that name, else those joined by plus signs."""
    if scenario is None:
        return []
    wanted = [scenario] if scenario in names else [part.strip() for part in scenario.split("+")]
    for one in wanted:
        if one not in names and not faults.has_errors:
            others = ", ".join(names) if names else "none"
            hint = did_you_mean(one, names, f"scenarios of this model: {others}")
            raise UsageError(f'the model "{name}" has no scenario "{one}"; {hint}')
    return [one for one in wanted if one in names]


def _under(name: str, base: Located, chosen: _Chosen, known: _Known, faults: Faults) -> Model:
    """The model under scenarios; only what they add to its faults is recorded."""
    inner = Faults()
    layers = [layer for one in chosen.names for layer in stacked(base, one, inner)]
    tree, overlay = applied(base, [*layers, *([chosen.changes] if chosen.changes is not None else [])], inner)
    changed = _model(name, tree, known, inner)
    said = [fault for fault in inner.kept if fault not in faults.kept]
    # A warning about a scenario that nobody asked for would be noise on every run.
    faults.extend(fault for fault in said if chosen.name is not None or fault.severity is Severity.ERROR)
    return replace(changed, scenario=chosen.name, overlay=overlay)


def _model(name: str, tree: Located, known: _Known, faults: Faults) -> Model:
    keys = checked(ModelKeys, tree, faults, known.goals)
    if keys is None:
        bad = faulty_keys(ModelKeys, tree, known.goals)
        sound = without(tree, *bad)
        value = {"format": 1, **(sound.value if isinstance(sound.value, dict) else {})}
        keys = checked(ModelKeys, replace(sound, value=value), Faults(), known.goals) or ModelKeys(format=1)
    _check_headroom(keys, tree, faults)
    return Model(
        name,
        keys.title,
        keys.description,
        headroom=keys.headroom,
        rules=_rules(tree, known.rules, faults),
        left_out=keys.left_out,
        purchases=keys.purchases if isinstance(keys.purchases, str) else tuple(keys.purchases),
        goals=tuple({goal: Fraction(weight) for goal, weight in one.items()} for one in keys.goals),
        periods=_spans(keys.periods),
        solver=Solver(**dict(keys.solver)),
        overlay=Overlay(),
        written=tree,
    )


def _spans(periods: Periods | None) -> tuple[tuple[date, date], ...] | None:
    return tuple(pairwise(periods.days())) if periods else None


def _check_headroom(keys: ModelKeys, tree: Located, faults: Faults) -> None:
    """More than half looks like the share that may be used."""
    for resource, share in keys.headroom.items():
        if share > SUSPECT_HEADROOM:
            said = f"headroom of {percent_text(share)} on {resource} keeps more than half free"
            fix = "headroom is the share kept free, not the share that may be used"
            faults.warning(tree.place(("headroom", resource)), "headroom-inverted", said, fix)


def _rules(tree: Located, known: Mapping[str, type[BaseModel]], faults: Faults) -> dict[str, BaseModel | None]:
    written = tree.value.get("rules") if isinstance(tree.value, dict) else None
    result: dict[str, BaseModel | None] = {}
    for name, value in written.items() if isinstance(written, dict) else ():
        path = ("rules", name)
        if name not in known:
            hint = did_you_mean(name, known, f"known: {', '.join(sorted(known))}")
            faults.error(tree.key_place(path), "unknown-rule", f'there is no rule "{name}"', hint)
        elif is_off(value):
            result[name] = None
        elif isinstance(value, dict):
            options = checked(known[name], part(tree, path), faults, prefix=path)
            if options is not None:
                result[name] = options
        else:
            fix = "write on, off or a mapping of options"
            faults.error(tree.place(path), "wrong-value", f"the rule {name} is {kind_of(value)}", fix)
    return result
