"""Kinds of training: one module for each."""
