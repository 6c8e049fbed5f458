"""Mingjian (明鉴): an expert-review workbench. Nothing here but the version."""

__version__ = "0.2.0"
