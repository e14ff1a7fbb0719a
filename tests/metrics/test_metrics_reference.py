"""Distances of features, scores and path lengths of the official implementation."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aligned_jax import metrics
from aligned_jax.convert.kwargs import generator_config
from aligned_jax.convert.rules import from_official
from aligned_jax.evaluation import quantise
from aligned_jax.metrics.kid import squared_mmd, subset_rows
from aligned_jax.metrics.ppl import arc
from aligned_jax.networks.network import Network
from tests.helpers import document, reference, relative_error

pytestmark = pytest.mark.optimised


@functools.cache
def data():
    arrays = reference("metrics")
    return arrays, document(arrays, "meta_json")


@pytest.mark.parametrize("case", range(4))
def test_frechet_distance_of_statistics(case):
    arrays, _ = data()

    def of(side):
        mean, sigma = (arrays[f"fid_stats/{case}/{name}_{side}"] for name in ("mu", "sigma"))
        return metrics.Moments(1, mean, sigma)

    # Case 2 has no full rank, where the reference loses digits; case 3 is twice the same.
    tolerance = 1e-6 if case == 2 else 1e-10
    distance = metrics.frechet_distance(of("real"), of("gen"))
    assert distance == pytest.approx(arrays["fid_stats/value"][case], abs=tolerance)


def test_moments_and_frechet_distance_of_features():
    arrays, meta = data()
    real, gen = (metrics.moments_of(arrays[f"features/{side}"]) for side in ("real", "gen"))
    for side, moments in (("real", real), ("gen", gen)):
        assert relative_error(moments.mean, arrays[f"features/mean_{side}"]) < 1e-12
        assert relative_error(moments.covariance(), arrays[f"features/cov_{side}"]) < 1e-12
    assert metrics.frechet_distance(real, gen) == pytest.approx(arrays["features/fid"], rel=1e-10)
    some = metrics.moments_of(arrays["features/gen"][: meta["fid_max_items_num_gen"]])
    assert metrics.frechet_distance(real, some) == pytest.approx(
        float(arrays["features/fid_max_items"]), rel=1e-10
    )


@pytest.mark.parametrize("case", range(4))
def test_kernel_distance(case):
    arrays, meta = data()
    settings = meta["kid"][case]
    estimate = metrics.kernel_distance(
        arrays["features/real"],
        arrays["features/gen"],
        settings["num_subsets"],
        settings["max_subset_size"],
        settings["numpy_legacy_seed"],
    )
    assert (estimate.size, estimate.subsets) == (settings["m"], settings["num_subsets"])
    assert estimate.mean == pytest.approx(settings["value"], rel=1e-6)
    counts = [len(arrays[f"features/{side}"]) for side in ("real", "gen")]
    seed = settings["numpy_legacy_seed"]
    rows = subset_rows(*counts, settings["num_subsets"], settings["m"], seed)
    for side, drawn in zip(("gen", "real"), zip(*rows, strict=True), strict=True):
        np.testing.assert_array_equal(drawn, arrays[f"kid/{case}/{side}_idx"])


def test_squared_mmd_of_all_rows():
    arrays, meta = data()
    m = meta["kid_mmd2_full_m"]
    rows = [arrays[f"features/{side}"][:m] for side in ("gen", "real")]
    assert squared_mmd(*rows) == pytest.approx(float(arrays["kid/mmd2_full"]), rel=1e-6)


@pytest.mark.parametrize("case", range(4))
def test_precision_and_recall(case):
    arrays, meta = data()
    sets = [arrays[f"pr/{case}/{side}"] for side in ("real", "gen")]
    expected = meta["pr"][case]
    for half, suffix in ((True, ""), (False, "_exact")):
        actual = metrics.precision_and_recall(*sets, expected["k"], half)
        known = expected[f"precision{suffix}"], expected[f"recall{suffix}"]
        assert actual == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize("case", range(3))
def test_inception_score(case):
    arrays, meta = data()
    settings = meta["is"][case]
    score = metrics.inception_score_of(arrays["is/probs"], settings["num_splits"])
    assert score == pytest.approx(settings["mean_std"], rel=1e-5, abs=1e-9)


def test_points_on_great_circles():
    arrays, _ = data()
    a, b, t = (arrays[f"slerp/{name}"] for name in "abt")
    assert relative_error(arc(a, b, t), arrays["slerp/y"]) < 1e-6
    assert relative_error(arc(a, b, t + np.float32(0.01)), arrays["slerp/y_eps"]) < 1e-6


def test_path_length():
    arrays, _ = data()
    value, kept = metrics.path_length(arrays["ppl_reduce/dist"])
    low, high = arrays["ppl_reduce/lo_hi"]
    inside = (arrays["ppl_reduce/dist"] >= low) & (arrays["ppl_reduce/dist"] <= high)
    assert kept == inside.sum()
    assert value == pytest.approx(float(arrays["ppl_reduce/value"]), rel=1e-6)


def test_eight_bits_of_generated_images():
    arrays, _ = data()
    np.testing.assert_array_equal(quantise(arrays["uint8/x"]), arrays["uint8/metrics"])


@functools.cache
def path_network():
    arrays, meta = data()
    config = generator_config(meta["ppl_g_init_kwargs"])
    tensors = {k.removeprefix("ppl/param/"): v for k, v in arrays.items() if "ppl/param/" in k}
    return Network(config, jax.tree.map(jnp.asarray, from_official(config, tensors)))


def stand_in(a, b):
    """Squared difference of simple features of images in [-1, 1], as the reference took it."""

    def features(images):
        y = (images + 1) * (127.5 / 40) - 127.5 / 40
        n, h, w, c = y.shape
        pooled = y.reshape(n, h // 4, 4, w // 4, 4, c).mean(axis=(2, 4)).reshape(n, -1)
        return jnp.concatenate([pooled, 0.1 * jnp.tanh(y[:, ::3, ::3]).reshape(n, -1)], axis=1)

    return jnp.sum((features(a) - features(b)) ** 2, axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("case", range(5))
def test_path_distances(case):
    arrays, meta = data()
    network = path_network()
    z0, z1, u, c = (jnp.asarray(arrays[f"ppl/{case}/{name}"]) for name in ("z0", "z1", "u", "c"))
    start, end = f"ppl/{case}/noise/synthesis.", ".noise_const"
    fields = {k[len(start) : -len(end)]: v for k, v in arrays.items() if k.startswith(start)}
    settings = meta["ppl"][case]
    distances = metrics.path_distances(
        lambda z: network.mapping(z, jnp.concatenate([c, c])),
        lambda ws: network.synthesis(ws, fields),
        stand_in,
        *(z0, z1, u),
        metrics.PathOptions(**settings),
    )
    assert relative_error(distances, arrays[f"ppl/{case}/dist"]) < 1e-2
