"""Thin edges to other formats and systems: files today."""
