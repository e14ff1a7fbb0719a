"""What all jobs that invert pictures share."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest

from aligned_jax import features, inversion, loading
from aligned_jax.errors import UserError
from aligned_jax.inversion import EncoderChoice, EncoderChoices, setup
from aligned_jax.utils.reporting import Reporter
from tests.jobs.small_inputs import PARENT
from tests.standins import Nearness


class Heard(Reporter):
    """Remembers warnings."""

    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def test_some_files_are_named_and_others_counted():
    skipped = {f"{number}.png": "damaged" for number in range(10)}
    for named_in, last in (
        ("", "skipped 2 more"),
        ("inversions.json", "skipped 2 more; inversions.json names them"),
    ):
        heard = Heard()
        setup.warn_skipped(skipped, heard, named_in)
        assert heard.warnings[0] == "skipped 0.png: damaged" and len(heard.warnings) == 9
        assert heard.warnings[-1] == last
    heard = Heard()
    setup.warn_skipped(dict([*skipped.items()][:8]), heard)
    assert len(heard.warnings) == 8


def test_what_is_compared(monkeypatch):
    monkeypatch.setattr(
        features, "lpips", lambda net: Nearness(net, {"vgg": 4.0, "alex": 9.0}[net])
    )
    a, b = np.zeros((1, 8, 8, 3), np.float32), np.full((1, 8, 8, 3), 0.5, np.float32)

    def distance(net, pixels):
        loss = setup.perceptual_of(net, pixels)
        ours, theirs = (jax.tree.leaves(loss.embed(images)) for images in (a, b))
        return sum(float(np.square(x - y).sum()) for x, y in zip(ours, theirs, strict=True))

    assert distance("vgg", 0) == pytest.approx(4 * 0.25)
    assert distance("alex", 0) == pytest.approx(9 * 0.25)
    assert distance("none", 2) == pytest.approx(2 * 0.25)
    assert distance("vgg", 2) == pytest.approx(6 * 0.25)
    for net, pixels in (("none", 0), ("none", -1), ("vgg", -1)):
        with pytest.raises(UserError, match=f"`pixels` is {pixels}; with `perceptual='none'`"):
            setup.perceptual_of(net, pixels)


def test_encoders_fill_in_settings():
    plain = setup.settings({"space": None, "steps": None, "restarts": 3})
    assert plain == inversion.Settings(restarts=3)

    def choice(space, alone):
        return EncoderChoice("e", SimpleNamespace(space=space), alone)

    alone = setup.settings({"space": None}, choice("w+", alone=True))
    assert (alone.space, alone.steps, alone.noise, alone.psi) == ("w+", 0, "const", 1)
    started = setup.settings({"space": None, "steps": 7}, choice("z", alone=False))
    assert (started.space, started.steps, started.noise, started.psi) == ("z", 7, "drop", 1)
    given = setup.settings({"space": "z+", "psi": 0.3}, choice("z", alone=False))
    assert (given.space, given.psi) == ("z+", 0.3)


def test_the_encoder_of_a_space_is_chosen():
    choices = EncoderChoices(
        tuple(EncoderChoice(space, SimpleNamespace(space=space), True) for space in ("w", "z"))
    )
    chosen = {space: choices.choose(space).source for space in (None, "w", "w+", "z", "z+")}
    assert chosen == {None: "w", "w": "w", "w+": "w", "z": "z", "z+": "z"}
    assert EncoderChoices(()).choose("w") is None
    with pytest.raises(UserError, match="w: the encoder's latents are of w, which cannot be broug"):
        EncoderChoices(choices.choices[:1]).choose("z")


def test_the_memory_bounds_the_batch(monkeypatch):
    config, settings = loading.load(PARENT).config, inversion.Settings(restarts=2)
    assert setup.batch_for(config, settings) == 1  # a CPU
    room = {"bytes_limit": 100, "bytes_in_use": 40}
    for stats, rows, expected in ((room, 3, 3), (room, 100, 8), (None, 3, 8), ({}, 3, 8)):
        device = SimpleNamespace(platform="gpu", memory_stats=lambda stats=stats: stats)
        monkeypatch.setattr(jax, "local_devices", lambda device=device: [device])

        def fit(config, settings, memory, rows=rows):
            assert memory == 30
            return rows

        monkeypatch.setattr(inversion, "rows_that_fit", fit)
        assert setup.batch_for(config, settings) == expected
