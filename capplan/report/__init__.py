"""Reports: a run as one page that explains itself, offline, in any browser."""

from capplan.report.run_page import run_report

__all__ = ["run_report"]
