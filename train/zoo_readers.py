"""Makes the readers that come with the package: draws data, trains, reads samples, describes.

    python -m aligned_jax.train.zoo_readers --work zoo-work

Every step is a command of `aligned` that anyone may type. What is there already is kept.
"""

import sys
from collections.abc import Iterable

from aligned_jax.cli.zoo_programs import make_members
from aligned_jax.zoo import readers


def main(argv: list[str] | None = None) -> int:
    """Makes the readers; returns the exit code."""

    def commands(name: str) -> Iterable[list[str]]:
        return readers.commands(name).values()

    names = tuple(readers.READERS)
    return make_members("zoo_readers", __doc__, argv, names, commands, readers.make)


if __name__ == "__main__":
    sys.exit(main())
