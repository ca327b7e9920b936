"""The planning model: a YAML file that says which rules hold and what makes a plan good."""

from capplan.model.fields import Day, Number, Options, RuleOptions, Share, Switch, Text, Whole
from capplan.model.planning import Model, Solver, override
from capplan.model.read import read_model
from capplan.model.schema import model_schema

__all__ = [
    "Day",
    "Model",
    "Number",
    "Options",
    "RuleOptions",
    "Share",
    "Solver",
    "Switch",
    "Text",
    "Whole",
    "model_schema",
    "override",
    "read_model",
]
