"""One iteration of training an encoder (pSp, section 3; e4e, sections 4 and 5).

The encoder looks at the batch once. Its latents, as they are, teach the latent
discriminator; then the encoder is moved by the gradient that comes back through
the frozen generator. Normalisations use the moments of the whole batch, over all
devices, and so does the discriminator: one step is the same on any number.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax

from aligned_jax.errors import ConfigError
from aligned_jax.latents import broadcast_w
from aligned_jax.losses import (
    delta_penalty,
    fake_loss,
    generator_loss,
    identity_loss,
    pixel_loss,
    r1_penalty,
    real_loss,
    w_norm,
)
from aligned_jax.networks import Encoder, module_of
from aligned_jax.networks.plain import BatchMoments
from aligned_jax.ops import resize
from aligned_jax.training import parallel, ranger
from aligned_jax.training.draws import noise_rows, normal_rows
from aligned_jax.training.encoder_state import EncoderRecipe, EncoderState, Frozen, critic_adam
from aligned_jax.training.feeding import BatchFeeder
from aligned_jax.training.latent_critic import LatentCritic, replay
from aligned_jax.training.optimizer import take_step
from aligned_jax.training.terms import Batch, as_float
from aligned_jax.types import Array
from aligned_jax.utils.precision import products

Reports = dict[str, Array]
# Larger images are compared at this size (pSp, appendix).
_COMPARED = 256
# Which loss needs a frozen network.
_LOSS_NETWORKS = {"lpips": "lpips", "arcface": "identity"}
# Purposes of draws within an iteration.
_NOISE, _Z, _ROW, _REAL_POOL, _FAKE_POOL = range(5)


def active_rows(recipe: EncoderRecipe, step: Array) -> Array:
    """Rows with latents of their own in iteration `step`: all, but for progressive training."""
    options, rows = recipe.options, recipe.encoder.rows
    if not recipe.encoder.deltas or options.progressive_start is None:
        return jnp.int32(rows)
    begun = (step - options.progressive_start) // options.progressive_every + 1
    return 1 + jnp.clip(begun, 0, rows - 1)


def run_iteration(
    recipe: EncoderRecipe, state: EncoderState, frozen: Frozen, batch: Batch
) -> tuple[EncoderState, Reports]:
    """One update of the encoder, and of the discriminator; only inside `on_each_device`."""
    key = jax.random.wrap_key_data(state.key, impl="threefry2x32")
    key = jax.random.fold_in(key, state.step)
    options, active = recipe.options, active_rows(recipe, state.step)
    targets = as_float(batch.images)
    inputs = _reduced(targets, recipe.encoder.img_resolution)
    module: Any = Encoder(recipe.encoder, BatchMoments(parallel.mean, options.batch_size))

    def encode(params: Any) -> tuple[Array, Any]:
        variables = {**state.E, "params": params}
        latents, moved = module.apply(variables, inputs, active, mutable=["stats"])
        return latents, moved["stats"]

    with products(options.precision):
        latents, back, stats = jax.vjp(encode, state.E["params"], has_aux=True)
        reports: Reports = {}
        if options.adversarial:
            every, labels = parallel.gather((latents, batch.labels), batch.rows)
            state, reports = train_critic(recipe, state, frozen, every, labels, key)
        noise = _noise(recipe, jax.random.fold_in(key, _NOISE), batch.rows)
        loss_of = functools.partial(_loss, recipe, state, frozen, batch.labels, targets, noise)
        pull, said = jax.grad(loss_of, has_aux=True)(latents)
        gradients, said = parallel.mean((back(pull)[0], said))
    flaws = [jnp.sum(~jnp.isfinite(g)).astype(jnp.float32) for g in jax.tree.leaves(gradients)]
    reports |= said
    reports["Gradient/norm"] = optax.tree.norm(gradients)
    reports["Gradient/nonfinite"] = sum(flaws, start=jnp.float32(0))
    reports["Progress/active_rows"] = active.astype(jnp.float32)
    params, moments = ranger.take_step(options, gradients, state.E_opt, state.E["params"])
    state = dataclasses.replace(
        state,
        E={"params": params, "stats": stats},
        E_opt=moments,
        step=state.step + 1,
        images_seen=state.images_seen + options.batch_size,
    )
    return state, reports


def train_critic(
    recipe: EncoderRecipe,
    state: EncoderState,
    frozen: Frozen,
    latents: Array,
    labels: Array,
    key: Array,
) -> tuple[EncoderState, Reports]:
    """One update of the latent discriminator, and one more by R1 where that is due.

    Every device does the same with the whole batch. Of latents with rows, each
    sample shows one of the active ones.

    Args:
      recipe, frozen: of the run.
      state: before.
      latents: [B, D] or [B, L, D], of all rows of the batch.
      labels: [B, c_dim] of the same.
      key: of the iteration.
    """
    options, rows = recipe.options, jnp.arange(latents.shape[0])
    keys = [jax.random.fold_in(key, purpose) for purpose in range(_FAKE_POOL + 1)]
    z = normal_rows(keys[_Z], rows, recipe.generator.z_dim)
    generator: Any = module_of(recipe.generator)
    reals = generator.apply(frozen.G, z, labels, method="map")[:, 0]
    if latents.ndim == 3:
        active = active_rows(recipe, state.step)
        which = jax.random.randint(keys[_ROW], rows.shape, 0, active)
        latents = latents[rows, which]
    reals, real_pool = replay(state.real_pool, reals, keys[_REAL_POOL])
    fakes, fake_pool = replay(state.fake_pool, latents, keys[_FAKE_POOL])

    def main(params: Any) -> tuple[Array, tuple[Array, Array]]:
        real, fake = _critic(params, reals), _critic(params, fakes)
        return real_loss(real).mean() + fake_loss(fake).mean(), (real, fake)

    def reg(params: Any) -> Array:
        penalty, _ = r1_penalty(functools.partial(_critic, params), reals)
        return penalty.mean() * (options.r1_gamma / 2 * options.d_reg_interval)

    adam, params = critic_adam(options), state.D["params"]
    (loss, (real, fake)), gradients = jax.value_and_grad(main, has_aux=True)(params)
    params, moments = take_step(adam, gradients, state.D_opt, params)
    if options.r1_gamma:
        params, moments = lax.cond(
            state.step % options.d_reg_interval == 0,
            lambda pair: take_step(adam, jax.grad(reg)(pair[0]), pair[1], pair[0]),
            lambda pair: pair,
            (params, moments),
        )
    reports = {"Loss/D/loss": loss, "Loss/scores/real": real.mean()}
    reports["Loss/scores/fake"] = fake.mean()
    state = dataclasses.replace(
        state,
        D={"params": params},
        D_opt=moments,
        real_pool=real_pool,
        fake_pool=fake_pool,
    )
    return state, reports


class EncoderStep(BatchFeeder):
    """The compiled iteration of a run on a set of devices; used as `gan_step.GanStep`.

    Args:
      recipe: what to compute.
      frozen: generator and loss networks, copied to the devices once.
      devices: local devices to use; None takes those of all hosts.

    Raises:
      ConfigError: if the batch cannot be dealt to the devices.
    """

    device_dependence = ()  # another number of devices gives the same step

    def __init__(
        self, recipe: EncoderRecipe, frozen: Frozen, devices: parallel.Devices | None = None
    ) -> None:
        self.recipe, self.devices, options = recipe, devices, recipe.options
        count = jax.device_count() if devices is None else len(devices)
        parallel.check_division(options.batch_size, 1, count, 1, 1)
        self.frozen = parallel.replicate(_needed(recipe, frozen), devices)
        self._run: Any = parallel.on_each_device(functools.partial(run_iteration, recipe), devices)

    def compile(self, state: EncoderState, batch: Batch) -> dict[str, jax.stages.Compiled]:
        """Compiles everything ahead of the first iteration; the program by its name."""
        compiled = self._run.lower(state, self.frozen, batch).compile()
        if jax.process_count() == 1:
            self._run = compiled
        return {"E": compiled}

    def __call__(
        self, state: EncoderState, batch: Batch, iteration: int
    ) -> tuple[EncoderState, dict[str, Reports]]:
        """One iteration; the state, replicated over the devices, is consumed.

        Returns:
          the new state, and mean reports, still on the devices.
        """
        state, reports = self._run(state, self.frozen, batch)
        return state, {"E": reports}


def _loss(
    recipe: EncoderRecipe,
    state: EncoderState,
    frozen: Frozen,
    labels: Array,
    targets: Array,
    noise: str | dict[str, Array],
    latents: Array,
) -> tuple[Array, Reports]:
    """Weighted sum of the mean losses of latents, and each of them by itself."""
    options, encoder = recipe.options, recipe.encoder
    generator: Any = module_of(recipe.generator)
    if encoder.space.startswith("z"):
        ws = generator.apply(frozen.G, latents, labels, method="map")
    else:
        ws = broadcast_w(latents, encoder.rows)
    images = generator.apply(frozen.G, ws, noise, method="synthesize")
    images, targets = _reduced(images, _COMPARED), _reduced(targets, _COMPARED)
    terms = {"l2": pixel_loss(images, targets).mean()} if options.l2 else {}
    if options.lpips:
        terms["lpips"] = frozen.lpips(images, targets).mean()
    if options.identity:
        faces = [frozen.arcface((x + 1) * 127.5)["features"] for x in (images, targets)]
        terms["identity"] = identity_loss(*faces).mean()
    if options.w_norm:
        terms["w_norm"] = w_norm(latents, state.E["stats"]["latent_avg"]).mean()
    if options.delta_norm:
        terms["delta_norm"] = delta_penalty(latents).mean()
    if options.adversarial:
        terms["adversarial"] = _doubt(recipe, state, latents)
    loss = sum((getattr(options, name) * value for name, value in terms.items()), jnp.float32(0))
    return loss, {f"Loss/E/{name}": value for name, value in terms.items()} | {"Loss/E/loss": loss}


def _doubt(recipe: EncoderRecipe, state: EncoderState, latents: Array) -> Array:
    """How little the discriminator takes latents for real ones: the mean over active rows."""
    rows = latents if latents.ndim == 3 else latents[:, None]
    losses = generator_loss(_critic(state.D["params"], rows.reshape(-1, rows.shape[-1])))
    losses = losses.reshape(rows.shape[:2]).mean(axis=0)  # [L]
    active = jnp.minimum(active_rows(recipe, state.step), losses.shape[0])
    return jnp.where(jnp.arange(losses.shape[0]) < active, losses, 0).sum() / active.astype(
        jnp.float32
    )


def _critic(params: Any, latents: Array) -> Array:
    critic: Any = LatentCritic()
    return critic.apply({"params": params}, latents)


def _noise(recipe: EncoderRecipe, key: Array, rows: Array) -> str | dict[str, Array]:
    if recipe.options.noise != "random":
        return recipe.options.noise
    return noise_rows(recipe.generator, key, rows)


def _reduced(images: Array, size: int) -> Array:
    """Images brought to `size` by area if they are larger."""
    return resize.area(images, size) if images.shape[1] > size else images


def _needed(recipe: EncoderRecipe, frozen: Frozen) -> Frozen:
    """Only what a loss of the recipe uses; ConfigError names what is missing."""
    wanted = {name: bool(getattr(recipe.options, loss)) for name, loss in _LOSS_NETWORKS.items()}
    missing = [name for name, used in wanted.items() if used and getattr(frozen, name) is None]
    if missing:
        raise ConfigError(f"the losses need {' and '.join(missing)}; load it, or give weight 0")
    return Frozen(
        frozen.G, **{n: getattr(frozen, n) if used else None for n, used in wanted.items()}
    )
