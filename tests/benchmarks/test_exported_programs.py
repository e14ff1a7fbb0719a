"""Programs of accelerators are lowered for them on any machine, pmapped steps included."""

import dataclasses
import functools
import re

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from aligned_jax.data.options import DataOptions
from aligned_jax.runs import presets
from benchmarks import programs
from benchmarks.absent import traced_for
from benchmarks.programs import PHASES

DEVICES = 4
BACKENDS = {"cuda": "gpu", "tpu": "tpu"}
PLATFORMS = ["cuda", pytest.param("tpu", marks=pytest.mark.slow)]


@functools.cache
def config(size=8):
    """Two rows a device."""
    sizes = presets.Sizes(size)
    found = presets.config_of("tiny32", DataOptions("-"), sizes, 2 * DEVICES, "none", DEVICES)
    widths = {"channel_base": 64, "channel_max": 8}
    synthesis = dataclasses.replace(found.generator.synthesis, **widths)
    mapping = dataclasses.replace(found.generator.mapping, num_layers=1)
    generator = dataclasses.replace(
        found.generator, z_dim=8, w_dim=8, synthesis=synthesis, mapping=mapping
    )
    end = dataclasses.replace(found.discriminator.epilogue, mbstd_group_size=2)
    discriminator = dataclasses.replace(found.discriminator, epilogue=end, **widths)
    return dataclasses.replace(found, generator=generator, discriminator=discriminator)


def exported(made, platform):
    """The module of a program for several devices of a platform."""
    mesh = Mesh(np.array(jax.devices()[:DEVICES]), ("batch",))
    with traced_for(BACKENDS[platform]):
        return made.exported(mesh, platform).mlir_module()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", PHASES)
def test_a_phase_is_lowered_with_one_exchange_for_its_gradients(name, platform):
    made = programs.program(name, config(), DEVICES)
    text = exported(made, platform)
    assert f"num_partitions = {DEVICES}" in text
    assert len(re.findall(r"stablehlo\.all_reduce", text)) == (2 if name == "Greg" else 1)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_generation_and_inversion_are_lowered(platform):
    generator = config(16).generator  # the least that LPIPS takes
    images = exported(programs.generation(generator, 2), platform)
    assert "tensor<2x16x16x3xf32>" in images
    steps = exported(programs.inversion(generator, 1), platform)
    assert "stablehlo.while" in steps
