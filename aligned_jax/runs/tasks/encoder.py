"""Encoders as a task of the loop: their state, step and pictures."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from aligned_jax import loading
from aligned_jax.config import ENCODER, EncoderConfig
from aligned_jax.config.encoder import IR_SE50
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.networks import fingerprint
from aligned_jax.networks.encoder_network import EncoderNetwork
from aligned_jax.networks.network import Network
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.tasks.gan import Task
from aligned_jax.training import parallel
from aligned_jax.training.encoder_state import (
    EncoderRecipe,
    EncoderState,
    Frozen,
    create_encoder_state,
    with_backbone,
)
from aligned_jax.training.encoder_step import EncoderStep, active_rows
from aligned_jax.utils.blocks import blocks

_AT_A_TIME = 8


def recipe_of(config: EncoderRun) -> EncoderRecipe:
    """What the training step computes for this config."""
    return EncoderRecipe(config.generator, config.encoder, config.losses)


@functools.lru_cache(maxsize=1)
def generator_of(config: EncoderRun) -> Network:
    """The generator of a run; UserError if the source holds another one by now."""
    network = loading.load(config.start)
    if fingerprint(network.variables) != config.start_sha256:
        raise UserError(
            f"{config.start} is not the generator that this encoder was trained for so far; "
            "bring it back, or begin in another --run folder"
        )
    return network


def frozen_of(config: EncoderRun) -> Frozen:
    """The generator and the networks that the losses need.

    Raises:
      UserError: if one of them is not there, saying how to get it.
    """
    from aligned_jax import features

    losses = config.losses
    return Frozen(
        generator_of(config).variables,
        features.lpips(losses.lpips_net) if losses.lpips else None,
        features.load("arcface") if losses.identity else None,
    )


def sources(config: EncoderRun) -> dict[str, Any]:
    """What a fresh state is made of: the generator, and ArcFace for the backbone if wanted."""
    from aligned_jax import features

    found = {"G": generator_of(config).variables}
    return found | ({"arcface": features.load("arcface").variables} if config.backbone else {})


def pictures(
    config: EncoderRun, images: np.ndarray, labels: np.ndarray, encoder: EncoderNetwork
) -> np.ndarray:
    """What the generator makes of an encoder's latents: float32 of uint8 [N, R, R, C]."""
    generator, parts = generator_of(config), []
    for rows, kept in blocks(len(images), _AT_A_TIME):
        latents = encoder(images[rows].astype(np.float32) / 127.5 - 1)
        if config.encoder.space.startswith("z"):
            latents = generator.mapping(latents, labels[rows] if config.generator.c_dim else None)
        parts.append(np.asarray(generator.synthesis(latents))[:kept])
    return np.concatenate(parts)


def network(config: EncoderRun, state: EncoderState) -> EncoderNetwork:
    """The encoder of a state."""
    return EncoderNetwork(config.encoder, state.E)


def _scores(config: EncoderRun, dataset: Any, devices: parallel.Devices | None) -> list[Any]:
    from aligned_jax.runs import encoder_scores

    return encoder_scores.scores_of(config, dataset)


def _create(config: EncoderRun, networks: Mapping[str, Any] | None) -> EncoderState:
    """With `networks` None only the shapes count."""
    if networks is None:
        mean = np.zeros(config.generator.w_dim, np.float32)
        networks = {"G": {"stats": {"mapping": {"w_avg": mean}}}}
    recipe = recipe_of(config)
    state = create_encoder_state(recipe, networks["G"], config.seed)
    if "arcface" not in networks:
        return state
    encoder = with_backbone(state.E, networks["arcface"])
    return create_encoder_state(recipe, networks["G"], config.seed, encoder)


def _configs(config: EncoderRun) -> dict[str, EncoderConfig]:
    return {ENCODER: config.encoder}


def _step(config: EncoderRun, devices: parallel.Devices | None) -> EncoderStep:
    return EncoderStep(recipe_of(config), frozen_of(config), devices)


def _check(config: EncoderRun, devices: parallel.Devices | None) -> list[str]:
    recipe_of(config)
    if config.backbone and config.encoder.stages != IR_SE50:
        raise ConfigError("ArcFace is an IR-SE50, but the backbone is another: --backbone irse50")
    count = jax.device_count() if devices is None else len(devices)
    parallel.check_division(config.batch_size, 1, count, 1, 1)
    return []


def _notices(config: EncoderRun) -> list[str]:
    losses, rows, found = config.losses, config.encoder.rows, []
    if not losses.compares_images:
        found.append("no loss compares images (l2, lpips, identity): the encoder ignores them")
    last = config.iterations(config.kimg)
    begun = int(active_rows(recipe_of(config), np.int32(last - 1)))
    if begun < rows:
        found.append(
            f"only {begun} of {rows} rows of w+ begin within the run's {last} iterations, the "
            f"others stay as the first: lower losses.progressive_start "
            f"({losses.progressive_start}) or losses.progressive_every "
            f"({losses.progressive_every}), or train longer"
        )
    return found


def _intervals(config: EncoderRun) -> list[int]:
    return []  # R1 of the latents' discriminator costs nothing beside the rest


def _counts(state: EncoderState) -> dict[str, int]:
    networks = {"E": state.E, "D": state.D} if state.D else {"E": state.E}
    return {
        name: sum(int(np.size(leaf)) for leaf in jax.tree.leaves(network["params"]))
        for name, network in networks.items()
    }


def _facts(state: EncoderState) -> dict[str, float]:
    return {}


TASK = Task(
    configs=_configs,
    rest=("E_opt", "D", "D_opt", "real_pool", "fake_pool", "step", "images_seen", "key"),
    state_type=EncoderState,
    create=_create,
    step=_step,
    check=_check,
    notices=_notices,
    intervals=_intervals,
    counts=_counts,
    facts=_facts,
    network=network,
    scores=_scores,
    advice="a lower learning rate (losses.learning_rate) or a larger batch usually helps",
)
