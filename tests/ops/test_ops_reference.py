"""Every operation against numbers of the official implementation (tests/files/ops.npz)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import ops
from aligned_jax.errors import ConfigError
from tests.helpers import document, nchw, nhwc, reference, relative_error

pytestmark = pytest.mark.optimised("in long runs")

R = reference("ops")
CASES = document(R, "cases_json")
TOLERANCE = 1e-5


def indexed(name):
    """Parameters (i, case) with a readable id."""
    cases = [(f"{i:02d}", case) for i, case in enumerate(CASES[name])]
    return [pytest.param(i, case, id=f"{i}-{case}"[:70]) for i, case in cases]


def hwio(w):
    return jnp.asarray(np.transpose(w, (2, 3, 1, 0)))


def taps(name):
    return None if name == "none" else R[f"filter/{name}"]


def pull(function, cotangent, *inputs):
    """Value and gradients of sum(v * y)."""
    y, back = jax.vjp(function, *inputs)
    return y, back(cotangent)


@pytest.mark.parametrize("i, case", indexed("setup_filter"))
def test_setup_filter(i, case):
    case = dict(case)
    f = ops.setup_filter(case.pop("f"), **case)
    assert f.dtype == np.float32
    np.testing.assert_allclose(f, R[f"setup_filter/{i}/y"], rtol=1e-6, atol=0)


def arguments(case):
    """Keyword arguments with lists as tuples, and the filter apart."""
    kwargs = {k: tuple(v) if isinstance(v, list) else v for k, v in case.items()}
    return taps(kwargs.pop("f")), kwargs


@pytest.mark.parametrize("i, case", indexed("upfirdn2d"))
def test_upfirdn2d_and_its_gradient(i, case):
    f, kwargs = arguments({"f": "none"} | case)
    x, v = nhwc(R["upfirdn2d/x"]), nhwc(R[f"upfirdn2d/{i}/v"])
    y, (dx,) = pull(lambda x: ops.upfirdn2d(x, f, **kwargs), v, x)
    assert relative_error(nchw(y), R[f"upfirdn2d/{i}/y"]) < TOLERANCE
    assert relative_error(nchw(dx), R[f"upfirdn2d/{i}/dx"]) < TOLERANCE


@pytest.mark.parametrize(
    "name, i, case",
    [
        (name, *p.values)
        for name in ("filter2d", "upsample2d", "downsample2d")
        for p in indexed(name)
    ],
)
def test_resampling(name, i, case):
    f, kwargs = arguments(case)
    y = getattr(ops, name)(nhwc(R["upfirdn2d/x"]), f, **kwargs)
    assert relative_error(nchw(y), R[f"{name}/{i}/y"]) < TOLERANCE


@pytest.mark.parametrize("i, case", indexed("conv2d_resample"))
def test_conv2d_resample(i, case):
    f, kwargs = arguments(case)
    weight = hwio(R[f"conv2d_resample/w_{kwargs.pop('w')}"])
    y = ops.conv2d_resample(nhwc(R["conv2d_resample/x"]), weight, f, **kwargs)
    assert relative_error(nchw(y), R[f"conv2d_resample/{i}/y"]) < TOLERANCE


@pytest.mark.parametrize("i, case", indexed("bias_act"))
def test_bias_act_and_its_gradients(i, case):
    case = dict(case)
    x, bias = R[f"bias_act/{case.pop('x')}"], case.pop("b")
    kwargs = {"activation": case.pop("act"), "axis": case.pop("dim", 1), **case}
    x, v = jnp.asarray(x), jnp.asarray(R[f"bias_act/{i}/v"])
    if bias is None:
        y, (dx,) = pull(lambda x: ops.bias_act(x, None, **kwargs), v, x)
    else:
        b = jnp.asarray(R[f"bias_act/{bias}"])
        y, (dx, db) = pull(lambda x, b: ops.bias_act(x, b, **kwargs), v, x, b)
        assert relative_error(db, R[f"bias_act/{i}/db"]) < TOLERANCE
    assert relative_error(y, R[f"bias_act/{i}/y"]) < TOLERANCE
    assert relative_error(dx, R[f"bias_act/{i}/dx"]) < TOLERANCE


def test_bias_act_default_gains():
    official = CASES["bias_act_defaults"]
    assert {k: pytest.approx(v["def_gain"]) for k, v in official.items()} == ops.DEFAULT_GAINS


def modulated(case):
    """Function of (x, weight, styles) for a case; the fused flag has no counterpart here."""
    case = dict(case)
    case.pop("fused_modconv")
    case.pop("w_scale", None)
    case.pop("styles_scale", None)
    name, f, noise = case.pop("w"), case.pop("f", "none"), case.pop("noise", None)
    if noise is not None:
        noise = R[f"modulated_conv2d/noise_{noise}"]
        noise = jnp.asarray(noise.reshape(-1, *noise.shape[-2:], 1))

    def function(x, weight, styles):
        return ops.modulated_conv2d(x, weight, styles, noise, resample_filter=taps(f), **case)

    return function, hwio(R[f"modulated_conv2d/w_{name}"])


@pytest.mark.parametrize("i, case", indexed("modulated_conv2d"))
def test_modulated_conv2d_and_its_gradients(i, case):
    function, weight = modulated(case)
    x, styles = nhwc(R["modulated_conv2d/x"]), jnp.asarray(R["modulated_conv2d/styles"])
    assert relative_error(nchw(function(x, weight, styles)), R[f"modulated_conv2d/{i}/y"]) < 1e-5
    if f"modulated_conv2d/{i}/v" not in R:
        return
    _, grads = pull(function, nhwc(R[f"modulated_conv2d/{i}/v"]), x, weight, styles)
    dx, dw, dstyles = nchw(grads[0]), np.transpose(grads[1], (3, 2, 0, 1)), grads[2]
    assert relative_error(dx, R[f"modulated_conv2d/{i}/dx"]) < TOLERANCE
    assert relative_error(dw, R[f"modulated_conv2d/{i}/dw"]) < TOLERANCE
    assert relative_error(dstyles, R[f"modulated_conv2d/{i}/dstyles"]) < TOLERANCE


@pytest.mark.parametrize("i, case", indexed("modulated_conv2d_fp16"))
def test_modulated_conv2d_survives_float16(i, case):
    function, weight = modulated(case)
    x = nhwc(R["modulated_conv2d/x"]).astype(jnp.float16)
    styles = jnp.asarray(R["modulated_conv2d/styles"]) * case["styles_scale"]
    y = function(x, weight * case["w_scale"], styles)
    assert y.dtype == jnp.float16
    assert relative_error(nchw(y.astype(jnp.float32)), R[f"modulated_conv2d_fp16/{i}/y"]) < 3e-3


@pytest.mark.parametrize("i, case", indexed("minibatch_std"))
def test_minibatch_std(i, case):
    y = ops.minibatch_std(nhwc(R["minibatch_std/x"]), **case)
    assert relative_error(nchw(y), R[f"minibatch_std/{i}/y"]) < TOLERANCE


def test_minibatch_std_names_the_batch_and_the_group():
    with pytest.raises(ConfigError, match=r"batch of 6 .* groups of 4"):
        ops.minibatch_std(nhwc(R["minibatch_std/x"]), group_size=4)


def test_normalize_2nd_moment():
    y = ops.normalize_2nd_moment(jnp.asarray(R["normalize_2nd_moment/x"]))
    assert relative_error(y, R["normalize_2nd_moment/y"]) < TOLERANCE


@pytest.mark.parametrize("i, case", indexed("fully_connected"))
def test_dense(i, case):
    case = dict(case)
    case.pop("bias_init", None)
    bias = jnp.asarray(R[f"fully_connected/{i}/bias"]) if case.pop("bias", True) else None
    weight = jnp.asarray(R[f"fully_connected/{i}/weight"].T)
    y = ops.dense(jnp.asarray(R["fully_connected/x"]), weight, bias, **case)
    assert relative_error(y, R[f"fully_connected/{i}/y"]) < TOLERANCE
