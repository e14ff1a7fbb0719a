"""Encoders as a task of the loop: an encoder, its generator, and a critic of latents."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aligned_jax import features, loading
from aligned_jax.config import ENCODER, AnyConfig
from aligned_jax.config.encoder import IR_SE50
from aligned_jax.data.dataset import Dataset
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.networks import fingerprint
from aligned_jax.networks.encoder_network import EncoderNetwork
from aligned_jax.networks.network import Network
from aligned_jax.runs import encoder_scores
from aligned_jax.runs.encoder_run import EncoderRun
from aligned_jax.runs.tasks.base import SnapshotScore, Start, Task, check_finite
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


class EncoderTask(Task[EncoderRun]):
    """Trains an encoder for a generator that stays as it is."""

    rest = ("E_opt", "D", "D_opt", "real_pool", "fake_pool", "step", "images_seen", "key")
    state_type = EncoderState
    advice = "a lower learning rate (losses.learning_rate) or a larger batch usually helps"
    whose = "encoder"

    @property
    def generator(self) -> Network:
        """The generator of the run; UserError if the source holds another one by now."""
        return _generator_of(self.config.start, self.config.start_sha256)

    def configs(self) -> dict[str, AnyConfig]:
        """See `Task`."""
        return {ENCODER: self.config.encoder}

    def start(self) -> Start:
        """See `Task`: the generator, and ArcFace for the backbone if wanted."""
        config, variables = self.config, {"G": self.generator.variables}
        check_finite(config.start, variables)
        lines = [f"drawn anew, from seed {config.seed}: E; {config.start} stays as it is"]
        if config.backbone:
            variables["arcface"] = features.load("arcface").variables
            lines.append("copied: the backbone of E, from ArcFace")
        return Start(variables, lines)

    def create(self, sources: Mapping[str, Any] | None) -> EncoderState:
        """See `Task`."""
        config, recipe = self.config, self.recipe()
        if sources is None:
            mean = np.zeros(config.generator.w_dim, np.float32)
            sources = {"G": {"stats": {"mapping": {"w_avg": mean}}}}
        state = create_encoder_state(recipe, sources["G"], config.seed)
        if "arcface" not in sources:
            return state
        encoder = with_backbone(state.E, sources["arcface"])
        return create_encoder_state(recipe, sources["G"], config.seed, encoder)

    def frozen(self) -> Frozen:
        """The generator and the networks that the losses need.

        Raises:
          UserError: if one of them is not there, saying how to get it.
        """
        losses = self.config.losses
        return Frozen(
            self.generator.variables,
            features.lpips(losses.lpips_net) if losses.lpips else None,
            features.load("arcface") if losses.identity else None,
        )

    def recipe(self) -> EncoderRecipe:
        """What the training step computes."""
        return EncoderRecipe(self.config.generator, self.config.encoder, self.config.losses)

    def step(self, devices: parallel.Devices | None) -> EncoderStep:
        """See `Task`."""
        config = self.config
        if config.backbone and config.encoder.stages != IR_SE50:
            raise ConfigError(
                "ArcFace is an IR-SE50, but the backbone is another: give `backbone='irse50'`"
            )
        return EncoderStep(self.recipe(), self.frozen(), devices)

    def notices(self) -> list[str]:
        """See `Task`."""
        config, losses, rows = self.config, self.config.losses, self.config.encoder.rows
        sentences = []
        if not losses.compares_images:
            sentences.append(
                "no loss compares images (l2, lpips, identity): the encoder ignores them"
            )
        last = config.iterations(config.kimg)
        begun = int(active_rows(self.recipe(), jnp.int32(last - 1)))
        if begun < rows:
            sentences.append(
                f"only {begun} of {rows} rows of w+ begin within the run's {last} iterations, the "
                f"others stay as the first: lower losses.progressive_start "
                f"({losses.progressive_start}) or losses.progressive_every "
                f"({losses.progressive_every}), or train longer"
            )
        return sentences

    def intervals(self) -> list[int]:
        """See `Task`: R1 of the latents' discriminator costs nothing beside the rest."""
        return []

    def counts(self, state: EncoderState) -> dict[str, int]:
        """See `Task`."""
        networks = {"E": state.E, "D": state.D} if state.D else {"E": state.E}
        return {
            name: sum(int(np.size(leaf)) for leaf in jax.tree.leaves(network["params"]))
            for name, network in networks.items()
        }

    def facts(self, state: EncoderState) -> dict[str, float]:
        """See `Task`."""
        return {}

    def network(self, state: EncoderState) -> EncoderNetwork:
        """See `Task`: the encoder."""
        return EncoderNetwork(self.config.encoder, state.E)

    def scores(self, dataset: Dataset, devices: parallel.Devices | None) -> Sequence[SnapshotScore]:
        """See `Task`."""
        return encoder_scores.scores_of(self.config, dataset, self.reconstructions)

    def reconstructions(
        self, images: np.ndarray, labels: np.ndarray, encoder: EncoderNetwork
    ) -> np.ndarray:
        """What the generator makes of an encoder's latents: float32 of uint8 [N, R, R, C]."""
        config, parts = self.config, []
        for rows, kept in blocks(len(images), _AT_A_TIME):
            latents = encoder(images[rows].astype(np.float32) / 127.5 - 1)
            if config.encoder.space.startswith("z"):
                c = labels[rows] if config.generator.c_dim else None
                latents = self.generator.mapping(latents, c)
            parts.append(np.asarray(self.generator.synthesis(latents))[:kept])
        return np.concatenate(parts)

    def pictures(self, state: EncoderState, reals: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """See `Task`: what the latents of the real images become, in their places."""
        return self.reconstructions(reals, labels, self.network(state))

    def picture_count(self, reals: int) -> int:
        """See `Task`: one for each real image."""
        return reals

    def belonging(self) -> dict[str, Any]:
        """See `Task`: whose encoder is trained."""
        generator = {"network": self.config.start, "sha256": self.config.start_sha256}
        return {"generator": generator}


@functools.lru_cache(maxsize=1)
def _generator_of(start: str, sha256: str) -> Network:
    network = loading.load(start)
    if not isinstance(network, Network) or fingerprint(network.variables) != sha256:
        raise UserError(
            f"{start} is not the generator that this encoder was trained for so far; "
            "bring it back, or begin in another `run` folder"
        )
    return network
