"""A host's rows of a batch, checked and dealt to its devices."""

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import ConfigError
from aligned_jax.training import parallel
from aligned_jax.training.encoder_state import EncoderRecipe
from aligned_jax.training.terms import Batch, Recipe


def shard_batch(
    config: GeneratorConfig,
    batch_size: int,
    devices: parallel.Devices | None,
    images: np.ndarray,
    labels: np.ndarray | None = None,
    gen_labels: np.ndarray | None = None,
) -> Batch:
    """This host's rows of a batch, dealt to its devices.

    Rows are those that `parallel.row_numbers(batch_size)` lists, in order.

    Args:
      config: the generator, whose size and labels the images have.
      batch_size: of all hosts.
      devices: local devices; None is all.
      images: [N, R, R, C], uint8 in 0..255 or float32 in [-1, 1].
      labels: [N, c_dim] of the images, where the networks have labels.
      gen_labels: [N, 3, c_dim], drawn independently for the generated
        images of Gmain, Greg and Dmain.

    Raises:
      ConfigError: naming everything whose shape or type does not fit.
    """
    rows = parallel.row_numbers(batch_size)
    n, c_dim, size = len(rows), config.c_dim, config.img_resolution
    if c_dim == 0:
        labels = np.zeros((n, 0)) if labels is None else labels
        gen_labels = np.zeros((n, 3, 0)) if gen_labels is None else gen_labels
    expected = {
        "images": (images, (n, size, size, config.img_channels)),
        "labels": (labels, (n, c_dim)),
        "gen_labels": (gen_labels, (n, 3, c_dim)),
    }
    wrong = [
        f"{name} {'are missing' if value is None else f'have shape {np.shape(value)}'}, "
        f"expected {shape}"
        for name, (value, shape) in expected.items()
        if value is None or np.shape(value) != shape
    ]
    if np.asarray(images).dtype not in (np.uint8, np.float32):
        wrong.append(f"images are {np.asarray(images).dtype}, expected uint8 or float32")
    if wrong:
        raise ConfigError(f"this host's part of the batch does not fit: {'; '.join(wrong)}")
    host = (images, rows, np.float32(labels), np.float32(gen_labels))
    return Batch(*parallel.deal(host, devices))


class BatchFeeder:
    """A training step that is fed with this host's rows.

    Attributes:
      recipe: with the sizes of the `generator`, and `options.batch_size`.
      devices: local devices; None is all.
    """

    recipe: Recipe | EncoderRecipe
    devices: parallel.Devices | None

    def feed(
        self,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        gen_labels: np.ndarray | None = None,
    ) -> Batch:
        """This host's rows of a batch, dealt to its devices; see `shard_batch`."""
        options, given = self.recipe.options, (images, labels, gen_labels)
        return shard_batch(self.recipe.generator, options.batch_size, self.devices, *given)
