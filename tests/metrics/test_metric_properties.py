"""What must hold for any features: identities, options, and how the work is cut."""

import numpy as np
import pytest

from aligned_jax import metrics
from aligned_jax.errors import ConfigError, UserError
from aligned_jax.metrics import diversity, kid, precision_recall


def rows(count, width=6, seed=0, shift=0.0):
    draw = np.random.RandomState(seed).standard_normal((count, width))
    return (draw @ np.diag(np.linspace(0.2, 2, width)) + shift).astype(np.float32)


def test_running_moments_do_not_depend_on_how_rows_come():
    whole = rows(97)
    expected = metrics.moments_of(whole)
    np.testing.assert_allclose(expected.covariance(1), np.cov(whole.T, dtype=np.float64))
    shuffled = whole[np.random.RandomState(1).permutation(97)]
    for pieces, held in ((whole[None], 4096), (np.array_split(shuffled, 13), 10)):
        running = metrics.RunningMoments(held)
        for piece in pieces:
            running.add(piece)
            running.result()  # asking changes nothing
        moments = running.result()
        assert moments.count == 97
        np.testing.assert_allclose(moments.mean, expected.mean, rtol=0, atol=1e-12)
        np.testing.assert_allclose(moments.scatter, expected.scatter, rtol=0, atol=1e-10)


def test_moments_stay_exact_far_from_zero():
    # Sums of squares would lose eight digits here.
    near, far = rows(200).astype(np.float64), rows(200).astype(np.float64) + 1e4
    running = metrics.RunningMoments(7)
    for piece in np.array_split(far, 40):
        running.add(piece)
    expected = metrics.moments_of(near).scatter
    np.testing.assert_allclose(running.result().scatter, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("count", [200, 5])
def test_identical_sets_are_at_distance_zero(count):
    # Five rows in sixty dimensions: a covariance of rank four.
    moments = metrics.moments_of(rows(count, 60))
    assert metrics.frechet_distance(moments, moments) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_a_shift_and_of_a_scale():
    first = metrics.moments_of(rows(300))
    moved = first._replace(mean=first.mean + 2)
    assert metrics.frechet_distance(first, moved) == pytest.approx(4 * 6, rel=1e-10)
    wider = first._replace(scatter=4 * first.scatter)
    # tr(A + 4 A - 2 * 2 A) = tr A
    assert metrics.frechet_distance(first, wider) == pytest.approx(np.trace(first.covariance()))


def test_ddof_changes_the_frechet_distance():
    a, b = metrics.moments_of(rows(20)), metrics.moments_of(rows(50, seed=1))
    assert metrics.frechet_distance(a, b, 1) != metrics.frechet_distance(a, b)
    with pytest.raises(UserError, match="needs more than 1 rows"):
        metrics.moments_of(rows(1)).covariance(1)


def test_kernel_distance_of_one_distribution_is_compatible_with_zero():
    estimate = metrics.kernel_distance(rows(400), rows(500, seed=1), 20, 100)
    assert abs(estimate.mean) < estimate.std
    far = metrics.kernel_distance(rows(400), rows(500, seed=1, shift=1.0), 20, 100)
    assert far.mean > 5 * far.std


def test_options_of_the_kernel_distance():
    sets = rows(60), rows(50, seed=1)
    base = metrics.kernel_distance(*sets, 5, 20, seed=0)
    assert base == metrics.kernel_distance(*sets, 5, 20, seed=0)
    for other in ((6, 20, 0), (5, 21, 0), (5, 20, 1)):
        assert metrics.kernel_distance(*sets, *other).mean != base.mean


def test_a_kernel_distance_of_all_rows_does_not_depend_on_their_order_or_on_blocks(monkeypatch):
    a, b = rows(41), rows(41, seed=1)
    whole = metrics.kernel_distance(a, b, 1).mean
    monkeypatch.setattr(kid, "_ROWS", 7)
    order = np.random.RandomState(2).permutation(41)
    assert metrics.kernel_distance(a[order], b[::-1], 1).mean == pytest.approx(whole, abs=1e-6)


def test_precision_and_recall_of_blocks(monkeypatch):
    real, generated = rows(50, seed=1), rows(41, shift=0.5)
    whole = metrics.precision_and_recall(real, generated)
    assert all(0 < value < 1 for value in whole)
    monkeypatch.setattr(precision_recall, "_BLOCK", 7 * 50)
    order = np.random.RandomState(2).permutation(41)
    assert metrics.precision_and_recall(real, generated[order]) == whole
    assert metrics.precision_and_recall(generated, real) == whole[::-1]
    assert metrics.precision_and_recall(real, real) == (1, 1)


def test_options_of_precision_and_recall():
    real, generated = rows(50, seed=1), rows(41, shift=0.5)
    few, many = (metrics.precision_and_recall(real, generated, k) for k in (1, 8))
    assert few < many
    # In half precision the two points are one.
    real = np.float32([[0.0], [1.0]])
    generated = np.float32([[2.0001], [5.0]])
    assert metrics.precision_and_recall(real, generated, 1, half=True)[0] == 0.5
    assert metrics.precision_and_recall(real, generated, 1, half=False)[0] == 0.0


def test_inception_score():
    sure = np.eye(4)[np.arange(40) % 4]
    assert metrics.inception_score_of(sure, 1) == pytest.approx((4, 0))
    assert metrics.inception_score_of(np.full((40, 4), 0.25), 1) == pytest.approx((1, 0))
    drawn = metrics.softmax(rows(40, 4))
    np.testing.assert_allclose(drawn.sum(axis=1), 1)
    assert metrics.inception_score_of(drawn, 2)[0] != metrics.inception_score_of(drawn, 5)[0]


def test_pairs():
    assert metrics.pairs_of(3, 10).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert metrics.pairs_of(6, 10, groups=[7, 7, 0, 0, 0, 1]).tolist() == [
        *([2, 3], [2, 4], [3, 4]),
        [0, 1],
    ]
    for count, most in ((60, 500), (50_000, 800)):
        pairs = metrics.pairs_of(count, most)
        assert len({tuple(pair) for pair in pairs}) == most
        assert (pairs[:, 0] < pairs[:, 1]).all() and pairs.max() < count
    assert (metrics.pairs_of(60, 5, seed=1) != metrics.pairs_of(60, 5)).any()


def test_numbers_of_pairs_are_exact_where_roots_are_not():
    ranks = np.array([0, 1, 2, 3, 10**15 - 1, 10**15, 10**15 + 1])
    first, second = diversity._unranked(ranks)
    assert (second * (second - 1) // 2 + first == ranks).all()
    assert ((first >= 0) & (first < second)).all()


def test_diversity():
    mean, error = metrics.diversity_of(np.array([1.0, 3.0]))
    assert (mean, error) == pytest.approx((2, 1 / np.sqrt(2)))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: metrics.moments_of(rows(0)), "at least one row"),
        (lambda: metrics.moments_of(rows(3) / np.float32(0)), "3 of 3 images are not finite"),
        (lambda: metrics.RunningMoments().result(), "no images"),
        (
            lambda: metrics.merge(metrics.moments_of(rows(3)), metrics.moments_of(rows(3, 5))),
            "6 and of 5",
        ),
        (
            lambda: metrics.frechet_distance(
                metrics.moments_of(rows(3)), metrics.moments_of(rows(3, 5))
            ),
            "6 and of 5",
        ),
        (lambda: metrics.kernel_distance(rows(3), rows(3, 5)), r"expected \[N, D\]"),
        (lambda: metrics.kernel_distance(rows(1), rows(3)), "at least 2"),
        (lambda: metrics.kernel_distance(rows(3), rows(3), 0), "at least 1"),
        (lambda: metrics.precision_and_recall(rows(3), rows(3)), "more than 3 images"),
        (lambda: metrics.precision_and_recall(rows(9), rows(9, 5)), r"expected \[N, D\]"),
        (lambda: metrics.precision_and_recall(rows(9) * 1e6, rows(9)), "float16 cannot hold"),
        (lambda: metrics.inception_score_of(np.ones((3, 2))), "10 splits"),
        (lambda: metrics.path_length(np.array([np.nan])), "finite"),
        (lambda: metrics.pairs_of(1, 5), "at least one pair"),
        (lambda: metrics.pairs_of(3, 5, groups=[0, 1]), "2 group numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_bad_input(call, said):
    with pytest.raises(UserError, match=said):
        call()


def test_bad_options_are_named_together():
    with pytest.raises(ConfigError, match=r"space is 'v'.*sampling is 'all'.*epsilon is 0"):
        metrics.PathOptions("v", "all", 0.0)
