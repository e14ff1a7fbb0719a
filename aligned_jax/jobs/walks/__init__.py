"""Walks through latents, weights and edits, as films."""
