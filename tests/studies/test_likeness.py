"""What survives is what was put there."""

import numpy as np
import pytest

from studies.likeness import MEASURES, correlation, dealt, measures, survival


def figures(count=40, seed=0, size=32, fade=1.0):
    """Blocks of three colours on white, each of its own size and place; and what they are."""
    rng = np.random.default_rng(seed)
    images = np.full((count, size, size, 3), 255, np.uint8)
    colours = rng.integers(0, 200, (count, 3, 3))
    wide, left = rng.integers(8, 16, count), rng.integers(0, 16, count)
    for image, parts, w, x in zip(images, colours, wide, left, strict=True):
        for (low, high), colour in zip(((4, 12), (12, 24), (24, 32)), parts, strict=True):
            image[low:high, x : x + w] = 255 - fade * (255 - colour)
    return images, colours / 255, wide, left


def test_parts_and_places_are_found():
    images, colours, wide, left = figures()
    measured = measures(images)
    assert set(measured) == set(MEASURES)
    for k, name in enumerate(("top colour", "head colour", "bottom colour")):
        np.testing.assert_allclose(measured[name], colours[:, k], atol=0.01)
    np.testing.assert_allclose(measured["position"][:, 0], (left + wide / 2) / 32)
    np.testing.assert_allclose(measured["area"][:, 0], wide * 28 / 32**2)
    np.testing.assert_allclose(measured["lean"], 0, atol=1e-9)


def test_lean_has_a_sign():
    image = np.full((1, 32, 32, 3), 255, np.uint8)
    for row in range(32):
        image[0, row, row // 4 : row // 4 + 10] = 0
    right, other = measures(image)["lean"], measures(image[:, :, ::-1])["lean"]
    assert right == pytest.approx(0.25, abs=0.02) and other == pytest.approx(-right)


def test_nothing_at_all_is_measured_too():
    measured = measures(np.full((2, 8, 8, 3), 250, np.uint8))
    assert all(np.isfinite(values).all() for values in measured.values())
    assert all(survival(v, v) == 0.5 and correlation(v, v) == 0 for v in measured.values())


def test_pairs_survive_and_permuted_pairs_do_not():
    # A domain of its own: paler and larger, but every figure has its own colours still.
    ours, theirs = measures(figures()[0]), measures(figures(fade=0.7)[0])
    order = dealt(40, 1)
    assert (order != np.arange(40)).all() and sorted(order) == list(range(40))
    assert (dealt(40, 2) != order).any()
    for name in MEASURES:
        if name == "lean":
            continue
        own, other = (survival(ours[name], theirs[name][rows]) for rows in (slice(None), order))
        assert own > 0.9 and 0.3 < other < 0.7, name
        assert correlation(ours[name], theirs[name]) > 0.95
        assert abs(correlation(ours[name], theirs[name][order])) < 0.5


def test_survival_is_a_rank():
    sources = np.arange(3.0)[:, None]
    assert survival(sources, 10 * sources + 5) == 1  # own means and deviations
    assert survival(sources, -sources) == pytest.approx(1 / 3)  # the middle one stays
    assert survival(sources, np.ones((3, 1))) == 0.5
    assert correlation(sources, -sources) == pytest.approx(-1)
