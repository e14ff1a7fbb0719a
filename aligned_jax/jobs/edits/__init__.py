"""Edits of pictures: how they are named, how far they go, where, and how they are kept."""
