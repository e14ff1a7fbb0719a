"""Options of an adversarial training run, frozen and JSON-able."""

import math
from dataclasses import dataclass, field

from aligned_jax.errors import ConfigError, too_small
from aligned_jax.utils.precision import mistakes

HALF = (None, "bfloat16", "float16")


@dataclass(frozen=True)
class AdamOptions:
    """Adam before the correction for lazy regularisation."""

    learning_rate: float = 0.002
    betas: tuple[float, float] = (0.0, 0.99)
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _check(
            _positive(learning_rate=self.learning_rate, eps=self.eps)
            + [
                f"betas are {self.betas}; both must lie in [0, 1)"
                for _ in [0]
                if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas)
            ]
        )


@dataclass(frozen=True)
class GanOptions:
    """Losses, schedule and optimisers (StyleGAN2, sections 3 and 4; appendix B).

    `batch_size` counts all devices and hosts. Each device feeds its share in
    `rounds` equal parts, whose gradients are added, not averaged.
    A regularisation interval of None computes the regularisation along with
    the main loss in every iteration, with Adam uncorrected; a weight
    (`pl_weight`, `r1_gamma`) of 0 leaves the regularisation out.
    `ema_rampup` limits the length of the generator's average to that fraction
    of the images seen so far; None (fine-tuning) does not. `half` is the
    precision of the main losses at the resolutions that each network marks
    with `num_fp16_res`; R1 and path length are always computed in float32.
    `precision` is that of float32 products (`utils.precision`) in all losses, but
    for main losses with `half`, where they are fast.
    """

    batch_size: int
    rounds: int = 1
    g_adam: AdamOptions = field(default_factory=AdamOptions)
    d_adam: AdamOptions = field(default_factory=AdamOptions)
    g_reg_interval: int | None = 4
    d_reg_interval: int | None = 16
    r1_gamma: float = 10.0
    pl_weight: float = 2.0
    pl_decay: float = 0.01
    pl_batch_shrink: int = 2
    style_mixing_prob: float = 0.9
    ema_kimg: float = 10.0
    ema_rampup: float | None = 0.05
    half: str | None = None
    precision: str = "exact"

    def __post_init__(self) -> None:
        least_one = ("batch_size", "rounds", "pl_batch_shrink", "g_reg_interval", "d_reg_interval")
        wrong = too_small(self, dict.fromkeys(least_one, 1))
        wrong += [
            f"{name} is {value}; it must be a number of at least 0"
            for name in ("r1_gamma", "pl_weight", "ema_kimg", "ema_rampup")
            if (value := getattr(self, name)) is not None and not 0 <= value < math.inf
        ]
        wrong += [
            f"{name} is {value}; it must lie between 0 and 1"
            for name in ("pl_decay", "style_mixing_prob")
            if not 0 <= (value := getattr(self, name)) <= 1
        ]
        if self.half not in HALF:
            wrong.append(f"half is {self.half!r}; it must be one of {HALF}")
        wrong += mistakes(self.precision)
        _check(wrong)


def _positive(**values: float) -> list[str]:
    return [
        f"{name} is {value}; it must be a positive number"
        for name, value in values.items()
        if not 0 < value < math.inf
    ]


def _check(wrong: list[str]) -> None:
    if wrong:
        raise ConfigError("; ".join(wrong))
