"""One iteration of adversarial training, as a sequence of phases.

A phase is one update of one network: gradients of one or two loss terms over
the device's rows, one average over devices, one step of Adam. An iteration
runs Gmain, now and then Greg, Dmain, now and then Dreg, each with latents of
its own, and ends with the averaged generator.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from aligned_jax.training import parallel
from aligned_jax.training.draws import term_key
from aligned_jax.training.ema import ema_rate, update_ema
from aligned_jax.training.feeding import BatchFeeder
from aligned_jax.training.optimizer import lazy_adam, merge_frozen, split_frozen, take_step
from aligned_jax.training.options import GanOptions
from aligned_jax.training.state import TrainState
from aligned_jax.training.terms import LOSSES, Batch, Networks, Recipe, TermOutcome
from aligned_jax.types import Array, PyTree, Variables
from aligned_jax.utils import loops

_FINISH = "finish"
Reports = dict[str, Array]


@dataclass(frozen=True)
class Phase:
    """One update of the network `network` ("G" or "D"), by the sum of `terms` times `gain`."""

    name: str
    network: str
    terms: tuple[str, ...]
    gain: float
    interval: int  # iterations from one run of the phase to the next


def phases(options: GanOptions) -> tuple[Phase, ...]:
    """All phases in the order in which an iteration runs them.

    Regularisation every k iterations has gain k (StyleGAN2, appendix B); an
    interval of None merges it into the main phase with gain 1.
    """
    plan = []
    for network, interval, weight in (
        ("G", options.g_reg_interval, options.pl_weight),
        ("D", options.d_reg_interval, options.r1_gamma),
    ):
        main, reg, both = f"{network}main", f"{network}reg", f"{network}both"
        if weight and interval is None:
            plan.append(Phase(both, network, (main, reg), 1, 1))
            continue
        plan.append(Phase(main, network, (main,), 1, 1))
        if weight and interval is not None:
            plan.append(Phase(reg, network, (reg,), interval, interval))
    return tuple(plan)


def phase_gradients(
    recipe: Recipe, phase: Phase, state: TrainState, batch: Batch
) -> tuple[PyTree, Reports, TrainState]:
    """Gradients of one phase over the batch of all devices; only inside `on_each_device`.

    Returns:
      gradients of the network's trainable parameters, added over rounds and
      averaged over devices; mean reports by official name; and the state with
      what the forward passes leave behind: the running means of w and of path
      lengths, and the signs of real logits.
    """
    rounds = recipe.options.rounds
    one_round = functools.partial(_round_gradients, recipe, phase, state)
    if rounds == 1:
        (pl_mean, gradients), said = one_round(state.pl_mean, batch)
        said = jax.tree.map(lambda v: v[None], said)  # [rounds, ...]
    else:
        parts = jax.tree.map(lambda v: v.reshape(rounds, v.shape[0] // rounds, *v.shape[1:]), batch)

        def add_round(carry: tuple[Array, PyTree], rows: Batch) -> tuple[tuple, tuple]:
            (pl_mean, gradients), said = one_round(carry[0], rows)
            return (pl_mean, jax.tree.map(jnp.add, carry[1], gradients)), said

        zeros = jax.tree.map(jnp.zeros_like, _split(recipe, phase, state)[0])
        (pl_mean, gradients), said = loops.scan(add_round, (state.pl_mean, zeros), parts)
    gradients, (reports, w_means) = parallel.mean((gradients, said))
    reports = jax.tree.map(lambda v: v.mean(axis=0), reports)
    return gradients, reports, _remember(recipe, state, pl_mean, reports, w_means)


def run_phase(
    recipe: Recipe, phase: Phase, state: TrainState, batch: Batch
) -> tuple[TrainState, Reports]:
    """One update of one network; only inside `on_each_device`."""
    gradients, reports, state = phase_gradients(recipe, phase, state, batch)
    flaws = [jnp.sum(~jnp.isfinite(g)).astype(jnp.float32) for g in jax.tree.leaves(gradients)]
    reports["Gradient/norm"] = optax.tree.norm(gradients)
    reports["Gradient/nonfinite"] = sum(flaws, start=jnp.float32(0))
    return apply_gradients(recipe, phase, state, gradients), reports


def apply_gradients(
    recipe: Recipe, phase: Phase, state: TrainState, gradients: PyTree
) -> TrainState:
    """One step of Adam with the gradients of a phase, non-finite ones replaced."""
    params, frozen = _split(recipe, phase, state)
    options = recipe.options
    if phase.network == "G":
        adam = lazy_adam(options.g_adam, options.g_reg_interval)
        params, moments = take_step(adam, gradients, state.G_opt, params)
        return dataclasses.replace(state, G={**state.G, "params": params}, G_opt=moments)
    adam = lazy_adam(options.d_adam, options.d_reg_interval)
    params, moments = take_step(adam, gradients, state.D_opt, params)
    params = merge_frozen(params, frozen)
    return dataclasses.replace(state, D={**state.D, "params": params}, D_opt=moments)


def finish_iteration(recipe: Recipe, state: TrainState) -> TrainState:
    """Averaged generator, counters, and the augmentation probability."""
    options, step = recipe.options, state.step + 1
    rate = ema_rate(state.images_seen, options.batch_size, options.ema_kimg, options.ema_rampup)
    p, signs = state.augment_p, state.signs
    if recipe.adapt is not None:
        p, signs = recipe.adapt(p, signs, step)
    return dataclasses.replace(
        state,
        G_ema=update_ema(state.G_ema, state.G, rate),
        augment_p=p,
        signs=signs,
        step=step,
        images_seen=state.images_seen + options.batch_size,
    )


def bodies(recipe: Recipe) -> dict[str, Callable[..., Any]]:
    """What `GanStep` runs on each device, by phase name, "finish" last.

    A phase takes (state, batch) and returns (state, reports); "finish" takes the state alone.
    """
    run: dict[str, Callable[..., Any]] = {
        phase.name: functools.partial(run_phase, recipe, phase) for phase in phases(recipe.options)
    }
    return run | {_FINISH: functools.partial(finish_iteration, recipe)}


class GanStep(BatchFeeder):
    """The compiled phases of a run on a set of devices.

        step = GanStep(recipe)
        state = parallel.replicate(create_state(...))
        for iteration in range(...):
            state, reports = step(state, step.feed(images), iteration)

    The state passed in is consumed: its memory is used for the new one.

    Args:
      recipe: what to compute.
      devices: local devices to use; None takes those of all hosts.

    Raises:
      ConfigError: if the batch cannot be dealt to the devices.
    """

    def __init__(self, recipe: Recipe, devices: parallel.Devices | None = None) -> None:
        self.recipe, self.devices, options = recipe, devices, recipe.options
        count = jax.device_count() if devices is None else len(devices)
        group = minibatch_group(recipe)
        shrink = options.pl_batch_shrink if options.pl_weight else 1
        rows = parallel.check_division(options.batch_size, options.rounds, count, group, shrink)
        # Reasons why another number of devices would give another step; empty if none would.
        self.device_dependence = parallel.device_dependence(rows, group, shrink)
        self._phases = phases(options)
        self._run: dict[str, Any] = {
            name: parallel.on_each_device(body, devices) for name, body in bodies(recipe).items()
        }

    def compile(self, state: TrainState, batch: Batch) -> dict[str, jax.stages.Compiled]:
        """Compiles everything ahead of the first iteration.

        Returns:
          the programs by phase name, "finish" last, for their text and their costs.
        """
        compiled = {}
        for name, run in self._run.items():
            inputs = (state,) if name == _FINISH else (state, batch)
            compiled[name] = run.lower(*inputs).compile()
        # What pmap compiles ahead cannot be called on several hosts: those compile when called.
        if jax.process_count() == 1:
            self._run = dict(compiled)
        return compiled

    def __call__(
        self, state: TrainState, batch: Batch, iteration: int
    ) -> tuple[TrainState, dict[str, Reports]]:
        """One iteration.

        Args:
          state: replicated over the devices; consumed.
          batch: from `feed`.
          iteration: the value of `state.step`, known to the host without asking a
            device; decides which phases run.

        Returns:
          the new state, and for every phase that ran its mean reports, still on
          the devices (`parallel.local` fetches them).
        """
        reports = {}
        for phase in self._phases:
            if iteration % phase.interval == 0:
                state, reports[phase.name] = self._run[phase.name](state, batch)
        return self._run[_FINISH](state), reports


def minibatch_group(recipe: Recipe) -> int | None:
    """Samples whose deviation the discriminator sees together; 1 if it does not look."""
    end = recipe.discriminator.epilogue
    return end.mbstd_group_size if end.mbstd_num_channels else 1


def _round_gradients(
    recipe: Recipe, phase: Phase, state: TrainState, pl_mean: Array, rows: Batch
) -> tuple[tuple[Array, PyTree], tuple[Reports, Array]]:
    """((running path length, gradients), (reports, means of w [passes, w_dim])) of one round."""
    params, frozen = _split(recipe, phase, state)

    def loss_of(params: PyTree) -> tuple[Array, list[TermOutcome]]:
        g, d = state.G, state.D
        if phase.network == "G":
            g = {**g, "params": params}
        else:
            d = {**d, "params": merge_frozen(params, frozen)}
        nets = Networks(g, d, state.augment_p, pl_mean)
        losses = [
            LOSSES[name](recipe, nets, rows, term_key(state.key, state.step, name))
            for name in phase.terms
        ]
        total: Any = sum(loss for loss, _ in losses)
        return phase.gain * total, [outcome for _, outcome in losses]

    gradients, outcomes = jax.grad(loss_of, has_aux=True)(params)
    reports = {name: value for o in outcomes for name, value in o.reports.items()}
    means = [o.w_mean for o in outcomes if o.w_mean is not None]
    w_means = jnp.stack(means) if means else jnp.zeros((0, recipe.generator.w_dim))
    for outcome in outcomes:
        pl_mean = pl_mean if outcome.pl_mean is None else outcome.pl_mean
    return (pl_mean, gradients), (reports, w_means)


def _split(recipe: Recipe, phase: Phase, state: TrainState) -> tuple[PyTree, PyTree]:
    """Trainable and frozen parameters of the network that the phase updates."""
    if phase.network == "G":
        return state.G["params"], {}
    return split_frozen(recipe.discriminator, state.D["params"])


def _remember(
    recipe: Recipe, state: TrainState, pl_mean: Array, reports: Reports, w_means: Array
) -> TrainState:
    """State after the forward passes: w_means is [rounds, passes, w_dim]."""
    signs, batch_size = state.signs, recipe.options.batch_size
    if "Loss/signs/real" in reports:
        mean = reports["Loss/signs/real"]
        new = batch_size * jnp.stack([mean, jnp.ones_like(mean)])
        # A sum never forgets: one broken batch would stop the augmentation from adapting.
        signs = signs + jnp.where(jnp.isfinite(mean), new, 0)
    g = state.G
    if recipe.generator.mapping.w_avg_beta is not None:
        g = _track_w(g, w_means.reshape(-1, w_means.shape[-1]), recipe.generator.mapping.w_avg_beta)
    return dataclasses.replace(state, G=g, pl_mean=pl_mean, signs=signs)


def _track_w(variables: Variables, w_means: Array, beta: float) -> Variables:
    """Every pass of the mapping network moves the running mean of w, one after another."""
    w_avg = variables["stats"]["mapping"]["w_avg"]
    for i in range(w_means.shape[0]):
        w_avg = w_means[i] + beta * (w_avg - w_means[i])
    return {**variables, "stats": {"mapping": {"w_avg": w_avg}}}
