"""Generators as archives of jax.export: official images, every option, and no need of this code."""

import subprocess
import sys

import jax
import numpy as np
import pytest
from jax import export

from aligned_jax.convert import read_official
from aligned_jax.convert.programs import ProgramOptions, archive_program, rounded
from aligned_jax.networks.network import Network
from tests.helpers import DATA, nchw, reference, relative_error

pytest.importorskip("flatbuffers", reason="the extra onnx is not installed")

NAME = "hostile_baseline_ok"  # 8 px
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def network():
    official = read_official(DATA / f"{NAME}.pkl").networks["G_ema"]
    return Network(official.config, official.variables())


@pytest.fixture(scope="module")
def arrays():
    return reference(NAME)


@pytest.fixture(scope="module")
def program(network):
    return archive_program(network.config, network.variables, ProgramOptions())


def made(network, *options, **named):
    """The program of other options."""
    chosen = ProgramOptions(*options, **named)
    return archive_program(network.config, network.variables, chosen)


def test_official_images(program, network, arrays):
    z = arrays["z"]
    assert relative_error(nchw(program.draw({"z": z}, 1.0)), arrays["image_const"]) < TOLERANCE
    truncated = program.draw({"z": z}, 0.5)
    assert relative_error(truncated, network(z, psi=0.5)) < TOLERANCE
    assert relative_error(program.draw({"z": z[:1]}, 0.5), truncated[:1]) < TOLERANCE


def test_any_jax_reads_it(program, arrays):
    """By names of arguments, in full or with a Python number, on every platform."""
    exported = export.deserialize(bytearray(program.content))
    assert set(exported.platforms) == {"cpu", "cuda", "rocm", "tpu"}
    shapes = jax.tree.unflatten(exported.in_tree, [str(aval) for aval in exported.in_avals])
    assert shapes == ((), {"z": "float32[N,6]", "psi": "float32[]"})
    assert [str(aval) for aval in exported.out_avals] == ["float32[N,8,8,3]"]
    images = exported.call(z=arrays["z"], psi=1.0)
    assert relative_error(nchw(images), arrays["image_const"]) < TOLERANCE


@pytest.mark.parametrize(
    "space", ["s", *(pytest.param(space, marks=pytest.mark.slow) for space in ("w", "w+"))]
)
def test_spaces(space, network, arrays):
    ws = np.asarray(network.mapping(arrays["z"]))
    rolled = np.stack([ws[np.arange(4) % 2, np.arange(4)], ws[0]])  # rows of several
    styles = network.styles(rolled)
    latents = {
        "w": {"w": ws[:, 0]},
        "w+": {"ws": rolled},
        "s": {f"styles/{name}": np.asarray(style) for name, style in styles.items()},
    }[space]
    expected = network.synthesis(ws if space == "w" else rolled)
    program = made(network, space)
    assert relative_error(program.draw(latents), expected) < TOLERANCE
    if space == "s":  # as networks return them
        call = export.deserialize(bytearray(program.content)).call
        assert relative_error(call(styles=styles), expected) < TOLERANCE


@pytest.mark.slow
def test_options_change_the_images(program, network, arrays):
    z = {"z": arrays["z"]}
    quiet = made(network, noise="none").draw(z, 0.5)
    assert relative_error(quiet, network(arrays["z"], psi=0.5, noise="none")) < TOLERANCE
    built = made(network, psi=0.5).draw(z)
    assert relative_error(built, program.draw(z, 0.5)) < TOLERANCE
    assert relative_error(quiet, built) > 1e-3
    assert relative_error(built, program.draw(z, 1.0)) > 1e-3


def test_half_draws_what_the_rounded_network_draws(program, network, arrays):
    halved = made(network, half=True)
    numbers = sum(leaf.size for leaf in jax.tree.leaves(network.variables))
    assert len(program.content) - len(halved.content) > numbers  # of two bytes each
    z, halves = arrays["z"], rounded("x.jaxexport", network.config, network.variables)
    found = halved.draw({"z": z}, 1.0)
    expected = Network(network.config, halves)(z)
    assert relative_error(found, expected) < TOLERANCE
    assert 1e-5 < relative_error(found, network(z)) < 1e-2


ALONE = """
import sys
sys.modules |= dict.fromkeys(["aligned_jax", "flax"])  # importing them fails
import numpy as np
from jax import export
with open(sys.argv[1], "rb") as file:
    program = export.deserialize(bytearray(file.read()))
with np.load(sys.argv[2]) as arrays:
    images = np.asarray(program.call(z=arrays["z"], psi=1.0)).transpose(0, 3, 1, 2)
    print(abs(images - arrays["image_const"]).max() / abs(arrays["image_const"]).max())
print([name for name in sys.modules if name.startswith(("aligned_jax.", "flax."))])
"""


@pytest.mark.slow
def test_it_draws_in_a_process_without_this_package(program, tmp_path):
    path = tmp_path / "net.jaxexport"
    program.write(path, {"kind": "test"})
    command = [sys.executable, "-c", ALONE, path, DATA / f"{NAME}.npz"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    error, modules = done.stdout.splitlines()
    assert float(error) < TOLERANCE and modules == "[]"
