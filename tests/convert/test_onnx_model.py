"""Generators as ONNX: official images in onnxruntime, every option, standard operators alone."""

import dataclasses
import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import ops
from aligned_jax.config import ACTIVATIONS, GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.convert import read_official, to_official
from aligned_jax.convert.programs import ProgramOptions, onnx_ops, onnx_program, rounded
from aligned_jax.convert.programs.graph import Graph
from aligned_jax.convert.programs.onnx_model import model_of
from aligned_jax.errors import UserError
from aligned_jax.networks import init_variables
from aligned_jax.networks.network import Network
from tests.convert.test_safetensors_file import tree
from tests.helpers import DATA, document, nchw, reference, relative_error

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

TOLERANCE = 1e-5
NAMES = (
    *("cond16", "gray16", "options16", "orig32", "resnet32", "skip32", "skip64_fp16", "skip256"),
)


def case(name):
    """Reference arrays, config and variables of an official file."""
    network = read_official(DATA / f"generator_{name}.pkl").networks["G_ema"]
    return reference(f"generator_{name}"), network.config, network.variables()


def latents(config, arrays):
    """z, and labels of a conditional network."""
    return {"z": arrays["z"]} | ({"c": arrays["c"]} if config.c_dim else {})


def rows(styles):
    """Style vectors by the names of inputs."""
    return {f"styles/{name}": np.asarray(style) for name, style in styles.items()}


@pytest.mark.parametrize("name", NAMES)
def test_official_images(name):
    arrays, config, variables = case(name)
    program = onnx_program(config, variables, ProgramOptions())
    z = latents(config, arrays)
    found = nchw(program.draw(z, psi=1.0))
    assert relative_error(found, arrays["image_const"]) < TOLERANCE
    one = {key: array[:1] for key, array in z.items()}
    assert relative_error(nchw(program.draw(one, psi=1.0)), arrays["image_const"][:1]) < TOLERANCE
    if "image_none" in arrays:
        quiet = onnx_program(config, variables, ProgramOptions(noise="none"))
        assert relative_error(nchw(quiet.draw(z, psi=1.0)), arrays["image_none"]) < TOLERANCE
        assert relative_error(found, arrays["image_none"]) > 1e-3


@pytest.mark.parametrize("name", ["cond16", "skip32"])
def test_official_images_of_w(name):
    """Of rows that differ, since truncation ended at the third; so w+, then w, where none does."""
    arrays, config, variables = case(name)
    assert document(arrays, "meta_json")["truncation_cutoff"] == 3
    program = onnx_program(config, variables, ProgramOptions("w+"))
    found = nchw(program.draw({"ws": arrays["ws_psi_cutoff"]}))
    assert relative_error(found, arrays["image_psi_const"]) < TOLERANCE
    plain = onnx_program(config, variables, ProgramOptions("w"))
    found = nchw(plain.draw({"w": arrays["ws"][:, 0]}))
    assert relative_error(found, arrays["image_const"]) < TOLERANCE


def test_styles_and_truncation_are_those_of_jax():
    arrays, config, variables = case("cond16")
    network, z = Network(config, variables), latents(config, arrays)
    styles = network.styles(network.mapping(**z, psi=0.5))
    expected = np.asarray(network.render(styles))
    drawn = onnx_program(config, variables, ProgramOptions("s")).draw(rows(styles))
    assert relative_error(drawn, expected) < TOLERANCE
    free = onnx_program(config, variables, ProgramOptions())
    built = onnx_program(config, variables, ProgramOptions(psi=0.5))
    assert relative_error(free.draw(z, psi=0.5), expected) < TOLERANCE
    assert relative_error(built.draw(z), expected) < TOLERANCE
    assert relative_error(free.draw(z, psi=1.0), expected) > 1e-2


def test_half_draws_what_the_rounded_network_draws():
    arrays, config, variables = case("gray16")
    program = onnx_program(config, variables, ProgramOptions(half=True))
    halves = rounded("x.onnx", config, variables)
    exact = onnx_program(config, halves, ProgramOptions())
    stored = onnx.load_model_from_string(program.content).graph.initializer
    tensors = {entry for entry in to_official(config, variables) if "resample" not in entry}
    halved = {a.name for a in stored if a.data_type == onnx.TensorProto.FLOAT16}
    assert halved == tensors and len(program.content) < len(exact.content)
    z = latents(config, arrays)
    found = program.draw(z, psi=0.7)
    assert relative_error(found, exact.draw(z, psi=0.7)) < 1e-6
    whole = onnx_program(config, variables, ProgramOptions()).draw(z, psi=0.7)
    assert 1e-5 < relative_error(found, whole) < 1e-2


@pytest.mark.parametrize("space", ["z", "w", "w+", "s"])
def test_inputs_have_names_and_a_batch_of_any_size(space):
    _, config, variables = case("cond16")
    program = onnx_program(config, variables, ProgramOptions(space))
    model = onnx.load_model_from_string(program.content)
    onnx.checker.check_model(model, full_check=True)  # shapes are inferred, and those declared
    assert {node.domain for node in model.graph.node} == {""}
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    session = onnxruntime.InferenceSession(program.content, providers=["CPUExecutionProvider"])
    found = {entry.name: entry.shape for entry in session.get_inputs()}
    expected = {
        "z": {"z": ["N", 32], "c": ["N", 5], "psi": []},
        "w": {"w": ["N", 24]},
        "w+": {"ws": ["N", 6, 24]},
        "s": {name: ["N", 12] for name in found if name.startswith("styles/b")},
    }
    assert found == expected[space] and (space != "s" or len(found) == 8)
    assert [(x.name, x.shape) for x in session.get_outputs()] == [("images", ["N", 3, 16, 16])]


def test_stored_arrays_are_the_official_tensors():
    _, config, variables = case("gray16")
    model = onnx.load_model_from_string(onnx_program(config, variables, ProgramOptions()).content)
    stored = {a.name: onnx.numpy_helper.to_array(a) for a in model.graph.initializer}
    official = {
        name: tensor
        for name, tensor in to_official(config, variables).items()
        if not name.endswith("resample_filter")
    }
    assert official.keys() <= stored.keys()
    for name, tensor in official.items():
        assert stored[name].dtype == np.float32 and stored[name].tobytes() == tensor.tobytes()
    built = onnx_program(config, variables, ProgramOptions("s", noise="none"))
    model = onnx.load_model_from_string(built.content)
    assert not [a.name for a in model.graph.initializer if "mapping" in a.name or "noise" in a.name]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"space": "z+"}, "`space` is 'z\\+'; it is z, w, w\\+, s"),
        ({"noise": "random"}, "`noise` is 'random'; it is const or none"),
        ({"space": "s", "psi": 0.5}, "`psi` truncates what is mapped from z"),
        ({"psi": float("nan"), "noise": 3}, "`psi` is nan.*; `noise` is 3"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(UserError, match=said):
        ProgramOptions(**options)


@pytest.mark.slow
def test_without_a_mean_of_w_nothing_is_truncated():
    config = GeneratorConfig(
        8,
        z_dim=4,
        w_dim=4,
        mapping=MappingConfig(num_layers=1, w_avg_beta=None),
        synthesis=SynthesisConfig(channels=(4, 4)),
    )
    network = Network(*tree(config))
    program = onnx_program(config, network.variables, ProgramOptions())
    z = np.random.RandomState(0).randn(2, 4).astype(np.float32)
    assert relative_error(program.draw({"z": z}), network(z)) < TOLERANCE
    ProgramOptions(psi=1).check(config)
    with pytest.raises(UserError, match="keeps no mean of w; leave out `psi`"):
        ProgramOptions(psi=0.5).check(config)


def test_labels_alone_draw():
    """A network without z takes labels only."""
    config = GeneratorConfig(
        8,
        z_dim=0,
        c_dim=3,
        w_dim=4,
        mapping=MappingConfig(num_layers=1),
        synthesis=SynthesisConfig(channels=(4, 4)),
    )
    network = Network(*tree(config))
    program = onnx_program(config, network.variables, ProgramOptions())
    c = np.eye(3, dtype=np.float32)
    expected = network(np.zeros((3, 0), np.float32), c, psi=0.5)
    assert relative_error(program.draw({"c": c}, psi=0.5), expected) < TOLERANCE


def run(graph, result, **arrays):
    """What a graph makes of arrays [N, ...], as onnxruntime sees it."""
    graph.add("Identity", [result], "result")
    shapes = {name: array.shape for name, array in arrays.items()}
    model = model_of(graph, shapes, {"result": (None,) * 4})
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, arrays)[0]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation):
    x = np.random.RandomState(0).randn(2, 3, 4, 4).astype(np.float32) * 3
    bias = np.float32([0.5, -1, 2])
    for gain, clamp in itertools.product((1.0, 0.5), (None, 1.5)):
        graph = Graph()
        graph.constant("bias", bias[:, None, None])
        y = onnx_ops.activate(graph, "x", "bias", activation, "a", gain, clamp)
        options = {"gain": ops.DEFAULT_GAINS[activation] * gain}
        options["clamp"] = None if clamp is None else clamp * gain
        expected = ops.bias_act(jnp.asarray(x), jnp.asarray(bias), 1, activation, **options)
        assert relative_error(run(graph, y, x=x), expected) < 1e-6


# One tap, two, the usual four, twelve that are applied along either axis, and no outer product.
FILTERS = {
    "none": (),
    "two": (1.0, 2.0),
    "four": (1.0, 3.0, 3.0, 1.0),
    "twelve": tuple(float(tap) for tap in range(1, 13)),
    "two axes": ((1.0, 2.0, 0.0), (0.0, 1.0, 4.0)),
}


@pytest.mark.parametrize("taps", FILTERS.values(), ids=FILTERS)
def test_filters(taps):
    random = np.random.RandomState(0)
    x = random.randn(2, 4, 5, 6).astype(np.float32)
    weight = random.randn(3, 3, 4, 3).astype(np.float32)  # [k, k, I, O]
    f = ops.setup_filter(taps)
    graph = Graph()
    graph.constant("weight", weight.transpose(2, 3, 0, 1))
    found = run(graph, onnx_ops.convolve_up(graph, "x", "weight", (3, 3), taps, "up"), x=x)
    nhwc = jnp.asarray(x.transpose(0, 2, 3, 1))
    convolve = partial(ops.conv2d_resample, f=f, up=2, padding=1, flip_weight=False)
    expected = jax.jit(convolve)(nhwc, weight)
    assert relative_error(found, nchw(expected)) < 1e-6
    graph = Graph()
    found = run(graph, onnx_ops.upsample(graph, "x", 4, taps, "up"), x=x)
    assert relative_error(found, nchw(jax.jit(partial(ops.upsample2d, f=f))(nhwc))) < 1e-6


def test_names_of_nodes_are_their_own():
    _, config, variables = case("resnet32")
    model = onnx.load_model_from_string(onnx_program(config, variables, ProgramOptions()).content)
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names) and "b8.conv0/demodulated" in names


@pytest.mark.slow
@pytest.mark.optimised
def test_a_large_network_draws_as_in_jax():
    """1024 px with few channels; every block that there is."""
    synthesis = SynthesisConfig(channels=(16, 16, 16, 16, 16, 8, 8, 4, 4), conv_clamp=256.0)
    config = GeneratorConfig(1024, z_dim=16, w_dim=16, synthesis=synthesis)
    network = Network(config, init_variables(config, jax.random.key(0)))
    z = np.random.RandomState(0).randn(1, 16).astype(np.float32)
    for architecture in ("skip", "resnet"):
        made = dataclasses.replace(synthesis, architecture=architecture)
        config = dataclasses.replace(config, synthesis=made)
        network = Network(config, init_variables(config, jax.random.key(0)))
        program = onnx_program(config, network.variables, ProgramOptions())
        assert relative_error(program.draw({"z": z}, psi=0.7), network(z, psi=0.7)) < TOLERANCE
