"""Reports: a run, a comparison or a sweep as one page that explains itself, offline, in any browser."""

from capplan.report.comparison_page import comparison_report
from capplan.report.run_page import run_report
from capplan.report.sweep_page import sweep_report

__all__ = ["comparison_report", "run_report", "sweep_report"]
