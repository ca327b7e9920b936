"""How vendors count licences: formulas as pure functions, and the figures in their terms as dated data."""

from capplan.licensing.terms import Terms, shipped_terms

__all__ = ["Terms", "shipped_terms"]
