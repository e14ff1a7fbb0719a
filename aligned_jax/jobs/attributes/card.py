"""What is known of a reader, in words; for notebooks and scripts, `jobs.reader_card`."""

from aligned_jax.features.attributes.card import ReaderCard, reader_card

__all__ = ["ReaderCard", "reader_card"]
