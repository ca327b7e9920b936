"""Scenarios, and the other parts of a file that may be written in more than one way.

A scenario changes keys of the model like a file that extends it, and cells and rows of the inventory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from capplan.errors import Faults, did_you_mean
from capplan.located import Located, Path_, Value
from capplan.model.checked import checked
from capplan.model.document import Changes, ModelKeys
from capplan.model.layers import merged, part, without
from capplan.overlay import Overlay, Removal, Setting

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
        result[name] = changed = _rules_in_one_form(scenario)
        if isinstance(changed.get("set"), dict):
            changed["set"] = _flat_set(located, ("scenarios", name, "set"), flat, faults)
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


def applied(base: Located, name: str, faults: Faults) -> tuple[Located, Overlay]:
    """The model under a scenario, and what the scenario changes in the inventory."""
    scenario = part(base, ("scenarios", name))
    plain = without(base, "scenarios")
    if not isinstance(scenario.value, dict):
        hint = "write changes to the model, set or remove under it"
        faults.error(scenario.place(()), "wrong-value", f'the scenario "{name}" is not a mapping', hint)
        return plain, Overlay()
    refused = _refused_keys(scenario, faults)
    changes = replace(scenario, value={k: v for k, v in scenario.value.items() if k in Changes.model_fields})
    above = without(scenario, *Changes.model_fields, *refused)
    # The scenario's own place must not become the place of the whole model.
    above = replace(above, places={path: place for path, place in above.places.items() if path})
    return replace(merged(plain, above), file=base.file), _overlay(changes, faults)


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
        return Overlay()
    return Overlay(
        tuple(Setting(path, text, changes.place(("set", path))) for path, text in keys.set.items()),
        tuple(
            Removal(table, key, changes.place(("remove", table, i)))
            for table, ids in keys.remove.items()
            for i, key in enumerate(ids)
        ),
    )
