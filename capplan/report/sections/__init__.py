"""Sections of a run's page: one file each, a function from the facts of a run to blocks, or to nothing."""
