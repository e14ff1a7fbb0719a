"""Options of training an encoder, frozen and JSON-able."""

import math
from dataclasses import dataclass

from aligned_jax.config import EncoderConfig, GeneratorConfig
from aligned_jax.errors import ConfigError, too_large, too_small
from aligned_jax.utils.precision import mistakes

_LARGEST_POOL = 100_000
NOISE = ("random", "const", "none")
_IMAGE_LOSSES = ("l2", "lpips", "identity")
_LOSSES = (*_IMAGE_LOSSES, "w_norm", "delta_norm", "adversarial")


@dataclass(frozen=True)
class EncoderOptions:
    """Losses, schedule and optimiser (pSp, section 3.2; e4e, section 4 and appendix).

    Weights, where 0 leaves a loss out and needs none of its networks: `l2`, of
    pixels; `lpips`, with the network `lpips_net`; `identity`, ArcFace's, for faces
    that are aligned as FFHQ; `w_norm`, of the distance of latents from the mean of
    w; `delta_norm`, of the lengths of e4e's deltas; `adversarial`, of the latent
    discriminator, which learns at `d_learning_rate` with R1 (`r1_gamma`) every
    `d_reg_interval` iterations, from a pool of `pool_size` older latents (0 is none).

    In e4e's progressive training, the first delta starts at iteration
    `progressive_start` and one more follows every `progressive_every`; a start of
    None trains all from the first iteration on.

    The optimiser is Ranger: rectified Adam on centred gradients, and every
    `lookahead` iterations a step back to `slow_step` of the way.

    `batch_size` counts all devices and hosts. `noise` is the synthesis network's.
    `precision` is that of float32 products (`utils.precision`), of encoder, generator
    and loss networks alike.

    Raises:
      ConfigError: naming every value that cannot be, or if all losses are left out.
    """

    batch_size: int = 8
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.95, 0.999)
    eps: float = 1e-5
    lookahead: int = 6
    slow_step: float = 0.5
    l2: float = 1.0
    lpips: float = 0.8
    lpips_net: str = "alex"
    identity: float = 0.1
    w_norm: float = 0.0
    delta_norm: float = 2e-4
    adversarial: float = 0.1
    d_learning_rate: float = 2e-5
    r1_gamma: float = 10.0
    d_reg_interval: int = 16
    pool_size: int = 50
    progressive_start: int | None = 20_000
    progressive_every: int = 2_000
    noise: str = "random"
    precision: str = "exact"

    def __post_init__(self) -> None:
        least = {"batch_size": 1, "lookahead": 1, "d_reg_interval": 1, "pool_size": 0}
        least |= {"progressive_start": 0, "progressive_every": 1}
        wrong = too_small(self, least)
        wrong += too_large(self, {"pool_size": _LARGEST_POOL})
        wrong += [
            f"{name} is {getattr(self, name)}; it must be a positive number"
            for name in ("learning_rate", "d_learning_rate", "eps")
            if not 0 < getattr(self, name) < math.inf
        ]
        weights = (*_LOSSES, "r1_gamma")
        wrong += [
            f"{name} is {getattr(self, name)}; it must be a number of at least 0"
            for name in weights
            if not 0 <= getattr(self, name) < math.inf
        ]
        if not any(getattr(self, name) for name in _LOSSES):
            wrong.append(f"{', '.join(_LOSSES)} are all 0; without a loss nothing is learnt")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            wrong.append(f"betas are {self.betas}; both must lie in [0, 1)")
        if not 0 < self.slow_step <= 1:
            wrong.append(f"slow_step is {self.slow_step}; it must lie in (0, 1]")
        if self.lpips_net not in ("vgg", "alex"):
            wrong.append(f"lpips_net is {self.lpips_net!r}; it must be vgg or alex")
        if self.noise not in NOISE:
            wrong.append(f"noise is {self.noise!r}; it must be one of {', '.join(NOISE)}")
        wrong += mistakes(self.precision)
        if wrong:
            raise ConfigError("; ".join(wrong))

    @property
    def compares_images(self) -> bool:
        """Whether a loss looks at what the latents draw."""
        return any(getattr(self, name) for name in _IMAGE_LOSSES)


# What an option must be where nothing heeds it, if that is not its default alone.
_AT_REST = {
    "adversarial": (0.0,),
    "w_norm": (0.0,),
    "delta_norm": (0.0,),
    "progressive_start": (None, EncoderOptions.progressive_start),
}


def idle(generator: GeneratorConfig, encoder: EncoderConfig, options: EncoderOptions) -> list[str]:
    """A sentence for each option that is given though nothing in such a run would heed it."""
    in_w = encoder.space.startswith("w")
    critic = in_w and options.adversarial > 0
    begins = options.progressive_start is not None
    whose = f"an encoder to {encoder.space}"
    # Whether options count, who has no use for them otherwise, and which they are.
    table = (
        (in_w, whose, "adversarial w_norm"),
        (encoder.deltas, f"{whose} without deltas", "delta_norm progressive_start"),
        (encoder.deltas and begins, "a run without progressive training", "progressive_every"),
        (critic, "a run without the adversarial loss", "d_learning_rate r1_gamma pool_size"),
        (critic and options.r1_gamma > 0, "a run without R1", "d_reg_interval"),
        (options.lpips > 0, "a run without LPIPS", "lpips_net"),
        (generator.synthesis.use_noise, "a generator without noise", "noise"),
    )
    return [
        f"{name} is {value}, but {who} has no use for it: give {rests[0]}"
        for counts, who, names in table
        for name in (() if counts else names.split())
        if (value := getattr(options, name))
        not in (rests := _AT_REST.get(name, (getattr(EncoderOptions, name),)))
    ]
