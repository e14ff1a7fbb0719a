"""Checkpoints of the encoders pSp and e4e (pixel2style2pixel, encoder4editing).

A dictionary with `state_dict`, the tensors of `encoder.` and of `decoder.`, which
is a generator of the community port; `opts`, the arguments of the run; and
`latent_avg`, the mean of w that the encoder counts from.
"""

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np

from aligned_jax.config import ENCODER, EncoderConfig
from aligned_jax.convert.description import Derived, Description, InMemory
from aligned_jax.convert.files.inert import show
from aligned_jax.convert.files.tensor import Tensor
from aligned_jax.convert.formats import rosinality
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

CODE_BASE = "pixel2style2pixel or encoder4editing"

# Official class -> output space, and whether rows are differences to the first.
_TYPES = {
    "GradualStyleEncoder": ("w+", False),
    "Encoder4Editing": ("w+", True),
    "BackboneEncoderUsingLastLayerIntoW": ("w", False),
    "SingleStyleCodeEncoder": ("w", False),
}
_E, _G = "encoder.", "decoder."
_COUNTER = "num_batches_tracked"  # how long a normalisation was trained; nothing depends on it
_RESOLUTION = 256  # of the images of an encoder to W, whose tensors do not tell
_MAX_ROWS, _MAX_UNITS = 18, 200


def is_checkpoint(value: Mapping[Any, Any]) -> bool:
    """Whether a dictionary looks like a checkpoint of these encoders."""
    state = value.get("state_dict")
    return isinstance(state, dict) and any(isinstance(k, str) and k.startswith(_E) for k in state)


def read(value: Mapping[str, Any]) -> tuple[dict[str, Description], dict[str, Any]]:
    """The encoder (E), its generator (G_ema) if the file has one, and where they come from.

    `value` is what the inert reader returns for the file. Raises FormatError when
    it holds another kind of encoder.
    """
    state, opts = value["state_dict"], value.get("opts")
    opts = opts if isinstance(opts, dict) else {}
    strange = [
        show(str(name))
        for name, tensor in state.items()
        if not isinstance(name, str) or not hasattr(tensor, "numpy")
    ]
    if strange:
        raise FormatError(f"its state_dict holds other things than tensors: {listed(strange)}")
    tensors = _part(state, _E)
    config = _config(tensors, opts)
    mean = value.get("latent_avg")
    mean = mean if hasattr(mean, "numpy") else None
    tensors["latent_avg"] = _origin(config, mean, opts)
    described = {ENCODER: Description(False, tensors, has_filters=False, config=config)}
    source: dict[str, Any] = {"code_base": CODE_BASE, "warnings": []}
    if decoder := _part(state, _G):
        checkpoint: dict[str, Any] = {"g_ema": decoder}
        if mean is not None and len(mean.shape) in (1, 2) and mean.shape[-1] == config.latent_dim:
            width = (config.latent_dim,)
            checkpoint["latent_avg"] = Derived(mean, width, lambda a: a.reshape(-1, a.shape[-1])[0])
        generator, more = rosinality.read(checkpoint)
        described = {**generator, **described}
        source["warnings"] += more["warnings"]
        source |= {"cautions": more["cautions"]} if "cautions" in more else {}
    else:
        source["warnings"].append(
            "the file has no generator, so it is not known whose encoder it is"
        )
    return described, source


def _part(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Tensors behind a prefix, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if name.startswith(prefix) and not name.endswith(_COUNTER)
    }


def _config(tensors: Mapping[str, Tensor], opts: Mapping[Any, Any]) -> EncoderConfig:
    """Sizes from the tensors' shapes; which rows they mean, only `opts` can tell."""
    kind = opts.get("encoder_type")
    rows = _count(tensors, r"styles\.(\d{1,2})\.linear\.weight", _MAX_ROWS)
    if kind is None and not rows:
        kind = "BackboneEncoderUsingLastLayerIntoW"
    if not isinstance(kind, str) or kind not in _TYPES:
        given = f"encoder_type is {show(str(kind))}" if kind else "it does not say its encoder_type"
        raise FormatError(f"{given}; readable are {', '.join(_TYPES)}")
    space, deltas = _TYPES[kind]
    head = "styles.0.linear.weight" if space == "w+" else "linear.weight"
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    if len(shapes.get(head, ())) != 2 or len(shapes.get("input_layer.0.weight", ())) != 4:
        raise FormatError(f"it is said to be a {kind}, but has no {head} or input_layer.0.weight")
    size = _RESOLUTION
    if space == "w+":
        size = 16 << _count(tensors, r"styles\.0\.convs\.(\d{1,2})\.weight", 16, step=2)
    return EncoderConfig(
        size,
        space,
        rows or _rows_of(opts),
        latent_dim=shapes[head][0],
        deltas=deltas,
        img_channels=shapes["input_layer.0.weight"][1],
        stages=_stages(shapes),
    )


def _count(names: Any, pattern: str, most: int, step: int = 1) -> int:
    """How many names there are with a number, which must be 0, step, 2 * step, ..."""
    numbers = {int(match[1]) for name in names if (match := re.fullmatch(pattern, name))}
    if numbers != set(range(0, step * len(numbers), step)) or len(numbers) > most:
        raise FormatError(f"the layers numbered {sorted(numbers)[:20]} are not those of an encoder")
    return len(numbers)


def _rows_of(opts: Mapping[Any, Any]) -> int:
    """Rows of W+ of the generator, from its size."""
    size = opts.get("stylegan_size", opts.get("output_size", 1024))
    sound = isinstance(size, int) and size in [2**k for k in range(3, 11)]
    if not sound:
        raise FormatError(f"the size of its generator is {show(str(size))}")
    return 2 * size.bit_length() - 4


def _stages(shapes: Mapping[str, tuple[int, ...]]) -> tuple[tuple[int, int], ...]:
    """Channels and number of units of each stage of the backbone."""
    count = _count(shapes, r"body\.(\d{1,3})\.res_layer\.1\.weight", _MAX_UNITS)
    widths = [shapes[f"body.{i}.res_layer.1.weight"][0] for i in range(count)]
    return tuple((width, len(list(units))) for width, units in groupby(widths))


def _origin(config: EncoderConfig, mean: Any, opts: Mapping[Any, Any]) -> Any:
    """What is added to the encoder's output, in its shape.

    Official runs keep the mean of w once for each row, and add the first of them
    to the codes of an encoder to W; whatever the other rows hold, it is not used.
    """
    shape = config.latent_shape
    if not opts.get("start_from_latent_avg", mean is not None):
        return InMemory(np.zeros(shape, np.float32))
    if mean is None:
        raise FormatError("it counts from latent_avg, which it does not have")
    given = tuple(mean.shape)
    rows, width = config.rows, config.latent_dim
    if given not in ((width,), (1, width), (rows, width)):
        raise FormatError(
            f"latent_avg has shape {list(given)}, expected {[rows, width]} or {[width]}"
        )

    def spread(array: np.ndarray) -> np.ndarray:
        array = array.reshape(-1, width)  # [1 or L, D]
        return np.broadcast_to(array, shape) if config.has_rows else array[0]

    return Derived(mean, shape, spread)
