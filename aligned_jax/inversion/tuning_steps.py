"""Steps of a tuning: parameters of a synthesis that bring pictures nearer at their pivots (PTI)."""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from aligned_jax.inversion.perceptual import Perceptual, distances
from aligned_jax.networks.network import Network
from aligned_jax.types import Array, PyTree
from aligned_jax.utils import loops

_ADAM = optax.scale_by_adam(b1=0.9, b2=0.999, eps=1e-8)


class TuningProblem(NamedTuple):
    """What does not change over the steps.

    `perceptual` may be None, for pixels alone. `ws` are the pivots [N, L, w_dim], `targets` their
    pictures [N, R, R, C] in [-1, 1], `goal` the embeddings of those (an empty list without
    `perceptual`); `c` is the label [1, c_dim] that the regulariser draws with, or None; `weights`
    are numbers by the names that `TuningSettings` gives them.
    """

    network: Network
    perceptual: Perceptual | None
    ws: Array
    targets: Array
    goal: PyTree
    c: Array | None
    weights: dict[str, Array]


class Held(NamedTuple):
    """Latents of each step at which the pictures are held, if `samples` is not 0."""

    samples: int = 0
    psi: float = 0.5


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["synthesis", "adam", "last", "done"],
    meta_fields=[],
)
@dataclass(frozen=True)
class TuningState:
    """A tuning between two steps.

    Attributes:
      synthesis: parameters, as in `Network.variables["params"]["synthesis"]`.
      adam: state of the optimiser.
      last: LPIPS of every picture when it was last looked at, [N]; at first infinite.
      done: whether all had come near enough; from then on no step changes anything.
    """

    synthesis: PyTree
    adam: Any
    last: Array
    done: Array


def begin(problem: TuningProblem) -> TuningState:
    """The state before the first step; a copy, whose memory the steps may use."""
    synthesis = jax.tree.map(jnp.array, problem.network.variables["params"]["synthesis"])
    last = jnp.full(len(problem.ws), jnp.inf)
    return TuningState(synthesis, _ADAM.init(synthesis), last, jnp.asarray(False))


def with_synthesis(network: Network, synthesis: PyTree) -> Network:
    """The network with other parameters of its synthesis; provenance is left out."""
    params = {**network.variables["params"], "synthesis": synthesis}
    return Network(network.config, {**network.variables, "params": params})


def loss(
    synthesis: PyTree, problem: TuningProblem, held: Held, index: Array, key: Array
) -> tuple[Array, dict[str, Array]]:
    """The loss of one picture, and its terms `perceptual`, `pixel` and `regulariser`.

    None of them has a shape.

    Args:
      synthesis: parameters.
      problem: what is tuned.
      held: where other pictures are held.
      index: of the picture.
      key: of the latents where they are.
    """
    tuned, weights = with_synthesis(problem.network, synthesis), problem.weights
    pivot = problem.ws[index][None]  # [1, L, D]
    image = tuned.synthesis(pivot)
    pixel = jnp.square(image - problem.targets[index][None]).mean()
    perceptual = jnp.zeros(())
    if problem.perceptual is not None:
        goal = jax.tree.map(lambda x: x[index][None], problem.goal)
        perceptual = distances(problem.perceptual.embed(image), goal)[0]
    total = weights["perceptual_weight"] * perceptual + weights["pixel_weight"] * pixel
    regulariser = jnp.zeros(())
    if held.samples:
        regulariser = locality(tuned, problem, pivot, held, key)
    terms = {"perceptual": perceptual, "pixel": pixel, "regulariser": regulariser}
    return total + regulariser, terms


def locality(tuned: Network, problem: TuningProblem, pivot: Array, held: Held, key: Array) -> Array:
    """How far pictures near the pivot have moved, with its weights (section 3.3); without shape.

    The latents lie `alpha` from the pivot towards random ones; as in the authors' code the
    length is that of all rows of W+ together, and no noise is drawn.
    """
    network, weights = problem.network, problem.weights
    z = jax.random.normal(key, (held.samples, network.config.z_dim))
    c = None if problem.c is None else jnp.repeat(problem.c, held.samples, axis=0)
    towards = network.mapping(z, c, held.psi) - pivot  # [S, L, D]
    length = jnp.sqrt(jnp.square(towards).sum(axis=(1, 2), keepdims=True))
    ws = pivot + weights["alpha"] * towards / length
    before = jax.lax.stop_gradient(network.synthesis(ws, "none"))
    after = tuned.synthesis(ws, "none")
    total = weights["regulariser_pixels"] * jnp.square(after - before).mean()
    if problem.perceptual is not None:
        embed = problem.perceptual.embed
        moved = distances(embed(after), embed(before)).mean()
        total = total + weights["regulariser_perceptual"] * moved
    return total


def step(
    problem: TuningProblem, held: Held, state: TuningState, turn: Array, key: Array
) -> tuple[TuningState, dict[str, Array]]:
    """One step of Adam for the picture whose turn it is, unless all have come near enough.

    Args:
      problem, held: what is tuned, and what is held.
      state: before the step.
      turn: its number; pictures take turns.
      key: of the tuning; each turn draws numbers of its own.

    Returns:
      The state after it, and the terms of the loss before it, with `stepped`, whether it was taken.
    """
    index = turn % jnp.uint32(len(problem.ws))
    random = jax.random.fold_in(key, turn)
    slopes, terms = jax.grad(loss, has_aux=True)(state.synthesis, problem, held, index, random)
    # As the authors do, a picture is looked at before its step, which is not taken if it is near.
    last = state.last.at[index].set(terms["perceptual"])
    done = state.done | (last <= problem.weights["until"]).all()
    with jax.numpy_dtype_promotion("standard"):  # optax raises betas to an integer power
        moves, adam = _ADAM.update(slopes, state.adam)
    rate = problem.weights["learning_rate"]
    moved = jax.tree.map(lambda x, move: x - rate * move, state.synthesis, moves)
    old, new = (state.synthesis, state.adam), (moved, adam)
    synthesis, adam = jax.tree.map(lambda a, b: jnp.where(done, a, b), old, new)
    return TuningState(synthesis, adam, last, done), {**terms, "stepped": ~done}


@functools.partial(jax.jit, static_argnames="held", donate_argnames="state")
def advance(
    problem: TuningProblem, held: Held, state: TuningState, key: Array, turns: Array
) -> tuple[TuningState, dict[str, Array]]:
    """Several steps in one program, one of them where loops are slow; terms are [T] each."""

    def body(state: TuningState, turn: Array) -> tuple[TuningState, dict[str, Array]]:
        return step(problem, held, state, turn, key)

    return loops.scan(body, state, turns)
