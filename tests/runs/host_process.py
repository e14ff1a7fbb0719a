"""One host of several, as a process of its own: PORT,COUNT,INDEX FOLDER KIMG FAILING-HOST."""

import dataclasses
import sys

import jax

from aligned_jax.errors import UserError
from aligned_jax.runs import hosts
from tests.runs import small_runs as runs


class Damaged(runs.Images):
    """Images that can be read for about twelve iterations."""

    left = 200

    def __getitem__(self, index):
        self.left -= 1
        if self.left < 0:
            raise UserError(f"record {index} is damaged")
        return super().__getitem__(index)


def main(where, folder, kimg, failing):
    """Trains; says which devices there are, and mishaps in the way of the command line."""
    try:
        hosts.join(f"127.0.0.1:{where}")
        print("devices", jax.local_device_count(), "of", jax.device_count(), flush=True)
        damaged = jax.process_index() == int(failing)
        dataset = Damaged() if damaged else runs.Images()
        config = runs.replaced("gan", pl_weight=0.0, r1_gamma=0.0)
        config = dataclasses.replace(config, kimg=int(kimg))
        return runs.train(folder, config, dataset, devices=None)
    except UserError as error:
        print(f"aligned pretrain: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
