"""Measure: turn claims and truth into estimates."""
