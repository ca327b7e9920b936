"""The command line: each command parses, calls one function of a floor below, and prints."""

from capplan.cli.app import main

__all__ = ["main"]
