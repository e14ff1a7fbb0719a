"""Verbs of the `aligned` command, one a file."""
