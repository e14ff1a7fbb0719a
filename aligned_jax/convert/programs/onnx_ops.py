"""Arithmetic of StyleGAN2 as nodes of ONNX, on NCHW: the counterparts of `aligned_jax.ops`."""

from collections.abc import Sequence

import numpy as np

from aligned_jax import ops
from aligned_jax.config import Filter
from aligned_jax.convert.programs.graph import Graph
from aligned_jax.ops.upfirdn2d import padding_with_room

_OPERATORS = {
    "relu": "Relu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "elu": "Elu",
    "selu": "Selu",
    "softplus": "Softplus",
}


def normalize(graph: Graph, x: str, where: str) -> str:
    """[N, C] divided by the root of its mean square: `ops.normalize_2nd_moment`."""
    square = graph.add("Mul", [x, x], f"{where}/square")
    mean = graph.add("ReduceMean", [square], f"{where}/mean", axes=[1], keepdims=1)
    mean = graph.add("Add", [mean, graph.number(1e-8)], f"{where}/mean")
    root = graph.add("Sqrt", [mean], f"{where}/root")
    return graph.add("Div", [x, root], f"{where}/normalized")


def activate(
    graph: Graph,
    x: str,
    bias: str | None,
    activation: str,
    where: str,
    gain: float = 1.0,
    clamp: float | None = None,
) -> str:
    """Bias, activation, gain and clamp: `networks.layers.activate`; `bias` has the axes of `x`."""
    if bias is not None:
        x = graph.add("Add", [x, bias], f"{where}/biased")
    if activation == "lrelu":
        x = graph.add("LeakyRelu", [x], f"{where}/lrelu", alpha=0.2)
    elif activation == "swish":
        gate = graph.add("Sigmoid", [x], f"{where}/gate")
        x = graph.add("Mul", [gate, x], f"{where}/swish")
    elif activation != "linear":
        x = graph.add(_OPERATORS[activation], [x], f"{where}/{activation}")
    factor = ops.DEFAULT_GAINS[activation] * gain
    if factor != 1:
        x = graph.add("Mul", [x, graph.number(factor)], f"{where}/gain")
    if clamp is not None:
        bounds = [graph.number(-clamp * gain), graph.number(clamp * gain)]
        x = graph.add("Clip", [x, *bounds], f"{where}/clamped")
    return x


def convolve_up(
    graph: Graph, x: str, weight: str, size: tuple[int, int], taps: Filter, where: str
) -> str:
    """Convolution at twice the size, and the filter: `ops.conv2d_resample`, reordered like it.

    Args:
      graph: that is added to.
      x: [N, I, H, W].
      weight: [I, O, k, k], of a true convolution, as layers with upsampling have it.
      size: k, above 1, and O.
      taps: of the filter.
      where: what the names of nodes begin with.

    Returns:
      [N, O, 2 H, 2 W].
    """
    kernel, channels = size
    f = _kernel(taps)
    x = graph.add("ConvTranspose", [x, weight], f"{where}/up", strides=[2, 2])
    left, right, top, bottom = padding_with_room(kernel // 2, f, up=2)
    # What the transposed convolution covers before and behind the image.
    before, behind = kernel - 1, kernel - 2
    pads = [top - before, left - before, bottom - behind, right - behind]
    if min(pads) < 0:  # a short filter
        x = _pad(graph, x, pads, where)
        pads = [0, 0, 0, 0]
    name = f"filter/{channels}"
    flipped = f[::-1, ::-1] * np.float32(4)  # ONNX correlates
    graph.constant(name, np.tile(flipped, (channels, 1, 1, 1)))
    return graph.add("Conv", [x, name], f"{where}/filtered", group=channels, pads=pads)


def upsample(graph: Graph, x: str, channels: int, taps: Filter, where: str) -> str:
    """[N, C, H, W] to [N, C, 2 H, 2 W] with the filter: `ops.upsample2d`."""
    f = _kernel(taps)
    fh, fw = f.shape
    left, right, top, bottom = padding_with_room(0, f, up=2)
    # What sticks out of the transposed convolution's result.
    crops = [fh - 1 - top, fw - 1 - left, fh - 2 - bottom, fw - 2 - right]
    name = f"filter/up/{channels}"
    graph.constant(name, np.tile(f * np.float32(4), (channels, 1, 1, 1)))
    inside = [max(crop, 0) for crop in crops]
    options = {"group": channels, "strides": [2, 2], "pads": inside}
    x = graph.add("ConvTranspose", [x, name], f"{where}/upsampled", **options)
    outside = [max(-crop, 0) for crop in crops]
    return _pad(graph, x, outside, where) if any(outside) else x


def _pad(graph: Graph, x: str, pads: Sequence[int], where: str) -> str:
    """Zeros around [N, C, H, W]: (top, left, bottom, right); negative numbers crop."""
    top, left, bottom, right = pads
    both = [0, 0, top, left, 0, 0, bottom, right]
    name = graph.constant(f"pads/{'_'.join(map(str, pads))}", both, np.int64)
    return graph.add("Pad", [x, name], f"{where}/padded")


def _kernel(taps: Filter) -> np.ndarray:
    """[fh, fw], of the filter that layers convolve with."""
    f = ops.setup_filter(taps)
    return f if f.ndim == 2 else np.outer(f, f)
