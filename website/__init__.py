"""Builds the pages of the documentation that nobody writes by hand (`mkdocs.yml`)."""
