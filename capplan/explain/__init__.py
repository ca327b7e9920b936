"""Explanations in the user's own terms: why not, what conflicts, what would it take."""
