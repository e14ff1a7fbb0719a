"""How many rows go together."""

from aligned_jax.config import GeneratorConfig, SynthesisConfig
from aligned_jax.inversion import Settings, rows_that_fit

GIGABYTE = 2**30


def test_larger_images_and_less_memory_mean_fewer_rows():
    settings, rows = Settings(), {}
    for size in (64, 256, 1024):
        config = GeneratorConfig(size, synthesis=SynthesisConfig(channel_base=32768))
        rows[size] = rows_that_fit(config, settings, 16 * GIGABYTE)
        assert rows_that_fit(config, settings, 8 * GIGABYTE) == rows[size] // 2
        assert rows_that_fit(config, settings, 0) == 1
    assert rows[64] > rows[256] > rows[1024] > 1


def test_comparing_smaller_images_takes_less():
    config = GeneratorConfig(256)
    small, large = (rows_that_fit(config, Settings(resolution=r), GIGABYTE) for r in (64, 256))
    assert small > large
