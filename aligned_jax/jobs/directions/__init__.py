"""Directions of a network: found by scores or by pictures, or without either; and shown."""
