"""The benchmarks run, and compiled generation does no more arithmetic than it needs."""

import json
import shlex

import jax
import jax.numpy as jnp
import pytest

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig, SynthesisConfig
from aligned_jax.networks import Generator, variable_shapes
from benchmarks import convert, generate, metrics, train
from benchmarks.flops import PASSES, convolutions, critic_flops, phase_flops, synthesis_flops

pytestmark = pytest.mark.optimised


@pytest.mark.slow
@pytest.mark.parametrize("resolution, batch", [(64, 4), (64, 1)])
def test_compiled_flops_are_the_analytic_ones(resolution, batch):
    config = GeneratorConfig(
        resolution, w_dim=64, synthesis=SynthesisConfig(channel_base=4096, channel_max=64)
    )
    ws = jax.ShapeDtypeStruct((batch, config.num_ws, config.w_dim), jnp.float32)

    def synthesize(variables, ws):
        return Generator(config).apply(variables, ws, method="synthesize")

    compiled = jax.jit(synthesize).lower(variable_shapes(config), ws).compile()
    ratio = generate.compiled_flops(compiled) / synthesis_flops(config, batch)
    assert 0.98 < ratio < 1.05


def test_convolutions_are_counted_without_their_padding():
    first = next(iter(convolutions(GeneratorConfig(8))))
    assert (first.name, first.inputs, first.outputs, first.size) == ("b4.conv1", 512, 512, 4)
    assert first.flops == 2 * 512 * 512 * 10**2  # 3 taps at 4 positions less 2 on the padding


@pytest.mark.slow
def test_generation_prints_a_table_and_json(capsys):
    size = ["--resolution", "8", "--channel-max", "8", "--batch", "2", "--repeats", "1"]
    generate.main(size)
    lines = capsys.readouterr().out.strip().split("\n")
    rows = json.loads(lines[-1])
    assert rows["images_per_second"] > 0 and rows["time_over_bare_convolutions"] > 0
    assert {"device", "jax", "peak_memory_mb", "compile_seconds"} <= set(rows)
    assert rows["command"] == shlex.join(["python", "-m", "benchmarks.generate", *size])
    assert len(lines) == len(rows) + 2


@pytest.mark.slow
def test_metrics_are_timed(capsys):
    line = ["--images", "20", "--width", "1010", "--metrics", "fid,kid,pr,is,ppl"]
    metrics.main(line)
    rows = json.loads(capsys.readouterr().out.strip().split("\n")[-1])
    for name in ("fid", "kid", "pr", "is", "ppl"):
        assert rows[f"{name}_seconds"] > 0 and rows[f"{name}_cpu_seconds"] >= 0
    assert rows["peak_memory_mb_after_ppl"] > 0
    assert shlex.split(rows["command"])[2:] == ["benchmarks.metrics", *line]


@pytest.mark.slow
def test_conversion_stays_within_its_memory(capfd):
    convert.main(["--resolution", "1024"])
    rows = json.loads(capfd.readouterr().out.strip().split("\n")[-1])
    assert rows["convert_peak_over_file"] < 2.2


def test_phases_are_counted_pass_by_pass():
    generator = GeneratorConfig(16, synthesis=SynthesisConfig(channel_base=256))
    discriminator = DiscriminatorConfig(16, channel_base=256)
    g, d = synthesis_flops(generator, 1), critic_flops(discriminator)

    def flops(phase, shrink=2):
        return phase_flops(phase, generator, discriminator, shrink)

    # Dmain generates once more than the two critics of Dreg's cost, and nothing else.
    assert flops("Dmain") == pytest.approx(flops("Dreg") + g)
    assert flops("Greg", 1) == 2 * flops("Greg", 2) > 4 * g
    assert flops("Gmain") > 2 * g + 2 * d


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_training_needs_the_analytic_flops_and_prints_them(capsys, devices):
    sizes = ["--batch", "16", "--channel-base", "2048", "--channel-max", "128", "--repeats", "1"]
    train.main([*sizes, "--devices", str(devices)])
    rows = json.loads(capsys.readouterr().out.strip().split("\n")[-1])
    assert rows["devices"] == devices
    # What every device does with the weights alone counts more the fewer images it has.
    most = 1.05 if devices == 1 else 1.1
    for phase in PASSES:
        assert 0.95 < rows[f"{phase}_compiled_over_analytic_flops"] < most
        assert rows[f"{phase}_all_reduces"] == (devices > 1) * (1 + (phase == "Greg"))
    assert rows["images_per_second"] > 0 and rows["data_images_per_second"] > 0
