"""Scenarios, and the other parts of a file that may be written in more than one way.

A scenario changes keys of the model like a file that extends it, and cells and rows of the inventory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from capplan.errors import Faults, did_you_mean
from capplan.located import Located, Path_, Value
from capplan.model.checked import checked, faulty_keys
from capplan.model.document import Changes, ModelKeys
from capplan.model.layers import merged, part, without
from capplan.overlay import Addition, Overlay, Removal, Scaling, Setting

FIXED = ("format", "extends", "scenarios", "title")
"""Keys of a model that a scenario cannot change."""

_ON = ("on", "yes", "true")
_OFF = ("off", "no", "false")


def is_off(rule: Value) -> bool:
    """Whether a rule's value switches it off."""
    return rule is False or (isinstance(rule, str) and rule in _OFF)


def is_on(rule: Value) -> bool:
    """Whether a rule's value switches it on and says no more."""
    return rule is None or rule is True or (isinstance(rule, str) and rule in _ON)


def in_one_form(located: Located, faults: Faults) -> Located:
    """One file with each thing written in one way only, so that layers merge.

    A rule that is only switched on becomes ``{}``: laid over options it keeps them, laid over ``off`` it
    gives the defaults. Nested ``set`` becomes ``table.key.column: text``, text as it stands in the file.
    """
    if not isinstance(located.value, dict):
        return located
    value = _rules_in_one_form(located.value)
    scenarios = value.get("scenarios")
    if not isinstance(scenarios, dict):
        return replace(located, value=value)
    flat: dict[Path_, Path_] = {}
    result: dict[str, Value] = {}
    for name, scenario in scenarios.items():
        if not isinstance(scenario, dict):
            result[name] = {} if scenario is None else scenario
            continue
        result[name] = _changes_in_one_form(located, name, scenario, flat, faults)
    value["scenarios"] = result
    return replace(
        located,
        value=value,
        places={**located.places, **{new: located.place(old) for new, old in flat.items()}},
        keys={**located.keys, **{new: located.key_place(old) for new, old in flat.items()}},
    )


def _rules_in_one_form(keys: dict[str, Value]) -> dict[str, Value]:
    rules = keys.get("rules")
    if not isinstance(rules, dict):
        return dict(keys)
    return keys | {"rules": {name: {} if is_on(rule) else rule for name, rule in rules.items()}}


def _changes_in_one_form(
    located: Located, name: str, scenario: dict[str, Value], flat: dict[Path_, Path_], faults: Faults
) -> dict[str, Value]:
    """One scenario, its cells by dotted path and as text."""
    changed, top = _rules_in_one_form(scenario), ("scenarios", name)
    for key in ("set", "scale", "increase"):
        if isinstance(changed.get(key), dict):
            changed[key] = _flat_set(located, (*top, key), flat, faults)
    rows = changed.get("add")
    if isinstance(rows, dict):
        changed["add"] = {table: _texts(located, (*top, "add", table), faults) for table in rows}
    return changed


def _texts(located: Located, path: Path_, faults: Faults) -> Value:
    """Rows to add with every cell as text; what is no list of rows is left for the check of types."""
    rows = part(located, path).value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return rows
    found: list[Value] = []
    for i, row in enumerate(rows):
        cells: dict[str, Value] = {}
        for column in row if isinstance(row, dict) else ():
            text = _cell(located, (*path, i, column))
            if text is None:
                place = located.place((*path, i, column))
                faults.error(place, "wrong-value", f"{column} is no cell", "write one value")
            else:
                cells[column] = text
        found.append(cells)
    return found


def _flat_set(located: Located, top: Path_, flat: dict[Path_, Path_], faults: Faults) -> dict[str, Value]:
    """``set`` by dotted path; ``flat`` learns which dotted path was written where."""
    result: dict[str, Value] = {}
    for path in _leaves(part(located, top).value, ()):
        dotted, place = ".".join(str(step) for step in path), located.key_place((*top, *path))
        text = _cell(located, (*top, *path))
        if text is None:
            faults.error(located.place((*top, *path)), "wrong-value", f"{dotted} is no cell", "write one value")
        elif dotted in result:
            first = located.key_place(flat[(*top, dotted)])
            message = f"{dotted} is set twice; first at line {first.line}"
            faults.error(place, "duplicate-yaml-key", message, "keep one of them")
        elif dotted.count(".") < 2 or "" in (dotted.partition(".")[0], dotted.rpartition(".")[2]):
            hint = "write table.key.column, such as sites.B.power_kw"
            faults.error(place, "wrong-value", f'"{dotted}" does not name a cell', hint)
        else:
            result[dotted] = text
            flat[(*top, dotted)] = (*top, *path)
    return result


def _leaves(value: Value, path: Path_) -> Iterator[Path_]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif path:
        yield path


def _cell(located: Located, path: Path_) -> str | None:
    """The text of a cell: a scalar as written, nothing for null, a list joined by semicolons."""
    value = part(located, path).value
    if value is None:
        return ""
    if isinstance(value, list):
        texts = [_cell(located, (*path, i)) for i, one in enumerate(value) if not isinstance(one, list)]
        given = [text for text in texts if text is not None]
        return ";".join(given) if len(given) == len(value) else None
    return None if isinstance(value, dict) else located.raw.get(path, str(value))


def applied(base: Located, layers: Sequence[Located], faults: Faults) -> tuple[Located, Overlay]:
    """The model under scenarios, one laid over the other, and what they change in the inventory."""
    tree, overlays = without(base, "scenarios"), []
    for scenario in layers:
        refused = _refused_keys(scenario, faults)
        changes = replace(scenario, value={k: v for k, v in _keys(scenario).items() if k in Changes.model_fields})
        above = without(scenario, *Changes.model_fields, *refused)
        # The scenario's own place must not become the place of the whole model.
        above = replace(above, places={path: place for path, place in above.places.items() if path})
        tree = replace(merged(tree, above), file=base.file)
        overlays.append(_overlay(changes, faults))
    told = [overlay for overlay in overlays if overlay]
    if not told:
        return tree, Overlay()
    return tree, replace(told[-1], before=tuple(told[:-1])) if len(told) > 1 else told[0]


def stacked(base: Located, name: str, faults: Faults, above: tuple[str, ...] = ()) -> list[Located]:
    """The scenarios that make up one: those it is stacked upon, in order, and itself."""
    scenario = part(base, ("scenarios", name))
    if not isinstance(scenario.value, dict):
        hint = "write changes to the model, set or remove under it"
        faults.error(scenario.place(()), "wrong-value", f'the scenario "{name}" is not a mapping', hint)
        return []
    layers: list[Located] = []
    below = scenario.value.get("stack")
    for i, one in enumerate(below if isinstance(below, list) else ()):
        place = scenario.place(("stack", i))
        if one in (*above, name):
            way = " -> ".join((*above, name, str(one)))
            faults.error(place, "circular-reference", f"this scenario stands upon itself: {way}", "remove one of them")
        elif isinstance(one, str) and one in _keys(part(base, ("scenarios",))):
            layers += stacked(base, one, faults, (*above, name))
        else:
            known = sorted(_keys(part(base, ("scenarios",))))
            hint = did_you_mean(str(one), known, f"scenarios of this model: {', '.join(known)}")
            faults.error(place, "unknown-reference", f'the model has no scenario "{one}"', hint)
    return [*layers, scenario]


def _keys(located: Located) -> dict[str, Value]:
    return located.value if isinstance(located.value, dict) else {}


def _refused_keys(scenario: Located, faults: Faults) -> list[str]:
    """Keys that mean nothing in a scenario; each is a fault."""
    known = sorted({*ModelKeys.model_fields, *Changes.model_fields} - set(FIXED))
    refused = [key for key in scenario.value if key not in known] if isinstance(scenario.value, dict) else []
    for key in refused:
        hint = did_you_mean(key, known, f"known: {', '.join(known)}")
        said = f"a scenario cannot change {key}" if key in FIXED else f'there is no key "{key}" here'
        faults.error(scenario.key_place((key,)), "unknown-key", said, hint)
    return refused


def _overlay(changes: Located, faults: Faults) -> Overlay:
    keys = checked(Changes, changes, faults)
    if keys is None:
        # What is sound is still applied, to find the faults in it.
        sound = without(changes, *faulty_keys(Changes, changes, None))
        keys = checked(Changes, sound, Faults()) or Changes()
    one, none = Fraction(1), Fraction(0)
    factors = (Scaling(path, Fraction(x), none, changes.place(("scale", path))) for path, x in keys.scale.items())
    amounts = (Scaling(path, one, Fraction(x), changes.place(("increase", path))) for path, x in keys.increase.items())
    return Overlay(
        tuple(Setting(path, text, changes.place(("set", path))) for path, text in keys.set.items()),
        tuple(
            Removal(table, key, changes.place(("remove", table, i)))
            for table, ids in keys.remove.items()
            for i, key in enumerate(ids)
        ),
        (*factors, *amounts),
        tuple(
            Addition(table, tuple(row.items()), changes.place(("add", table, i)))
            for table, rows in keys.add.items()
            for i, row in enumerate(rows)
        ),
    )
