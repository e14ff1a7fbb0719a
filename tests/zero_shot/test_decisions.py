"""From scores to labels and values, and how good they are."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from aligned_jax import zero_shot
from aligned_jax.errors import UserError
from aligned_jax.zero_shot import NEGATIVE, NEUTRAL, POSITIVE, decided, threshold_of

RANDOM = np.random.default_rng(0)
PARENT = RANDOM.standard_normal(1000) - 0.5
CHILD = RANDOM.standard_normal(1000) * 0.3 + 2  # squeezed, and moved to one side


def test_the_parents_boundary():
    kinds = decided(np.asarray([-0.1, 0.0, 0.1]), threshold_of("boundary", CHILD, PARENT))
    assert kinds.tolist() == [NEGATIVE, NEGATIVE, POSITIVE]


def test_as_many_as_in_the_parent():
    kinds = decided(CHILD, threshold_of("prevalence", CHILD, PARENT))
    assert (kinds == POSITIVE).mean() == pytest.approx((PARENT > 0).mean(), abs=0.002)
    boundary = decided(CHILD, threshold_of("boundary", CHILD, PARENT))
    assert (boundary == POSITIVE).all()


@pytest.mark.parametrize("tails", [0.1, 0.25])
def test_tails(tails):
    kinds = decided(CHILD, threshold_of("tails", CHILD, PARENT, tails))
    shares = [(kinds == kind).mean() for kind in (POSITIVE, NEGATIVE, NEUTRAL)]
    np.testing.assert_allclose(shares, [tails, tails, 1 - 2 * tails], atol=0.003)


def test_no_such_threshold():
    with pytest.raises(UserError, match="boundary, prevalence, tails"):
        threshold_of("middle", CHILD, PARENT)
    with pytest.raises(UserError, match=r"tails are 0\.7"):
        threshold_of("tails", CHILD, PARENT, 0.7)


def test_values_in_the_parents_unit():
    values = zero_shot.standardised(CHILD, CHILD, PARENT)
    assert values.mean() == pytest.approx(PARENT.mean()) and values.std() == pytest.approx(
        PARENT.std()
    )
    assert np.corrcoef(values, CHILD)[0, 1] == pytest.approx(1)
    with pytest.raises(UserError, match="all scores of the child's population are equal"):
        zero_shot.standardised(CHILD, np.ones(5), PARENT)


def test_figures_of_labels():
    truth = RANDOM.random(200) > 0.8
    scores = truth + RANDOM.standard_normal(200)
    kinds = np.where(scores > 0.5, POSITIVE, NEGATIVE)
    found = zero_shot.label_figures(truth, scores, kinds)
    assert found["balanced accuracy"] == pytest.approx(
        balanced_accuracy_score(truth, kinds == POSITIVE)
    )
    assert found["accuracy"] == pytest.approx((truth == (kinds == POSITIVE)).mean())
    assert found["decided"] == 1 and 0.6 < found["AUC"] < 0.95
    kinds[np.abs(scores - 0.5) < 0.5] = NEUTRAL
    unsure = zero_shot.label_figures(truth, scores, kinds)
    assert unsure["decided"] < 0.9 and unsure["accuracy"] > found["accuracy"]
    assert unsure["AUC"] == found["AUC"]
    same = zero_shot.label_figures(np.ones(5, bool), scores[:5], kinds[:5])
    assert np.isnan(same["AUC"]) and np.isnan(same["balanced accuracy"])
    assert zero_shot.chance_of_labels(truth)["accuracy"] == pytest.approx((~truth).mean())


def test_figures_of_values():
    truth = np.asarray([-2.0, -1, 0, 1, 2])
    perfect = zero_shot.value_figures(truth, truth)
    found = [perfect[name] for name in ("MAE", "R2", "Spearman", "sign")]
    assert found == pytest.approx([0, 1, 1, 1])
    turned = zero_shot.value_figures(truth, -truth)
    assert turned["Spearman"] == pytest.approx(-1) and turned["sign"] == 0
    curved = zero_shot.value_figures(truth, truth**3)
    assert curved["Spearman"] == pytest.approx(1) and curved["sign"] == 1 and curved["R2"] < 0.5
    assert np.isnan(zero_shot.value_figures(truth, np.zeros(5))["Spearman"])
    assert np.isnan(zero_shot.value_figures(truth + 3, truth)["sign"])
    assert zero_shot.chance_of_values(truth)["MAE"] == pytest.approx(1.2)


def test_mirrors_must_turn_the_sign():
    values = RANDOM.standard_normal(100)
    good = zero_shot.mirror_figures(values, -values)
    assert (good["correlation"], good["sign changes"], good["bias"]) == (
        pytest.approx(-1), 1, pytest.approx(0),
    )  # fmt: skip
    # What says the same of both sides has found something else.
    other = zero_shot.mirror_figures(values, values)
    assert other["correlation"] == pytest.approx(1) and other["sign changes"] == 0
    leaning = zero_shot.mirror_figures(values + 2, -values + 2)
    assert leaning["bias"] > 0.8 and leaning["sign changes"] < 0.1


@pytest.mark.parametrize(
    ("child", "control", "supervised", "begins"),
    [(0.9, 0.52, 0.95, "holds: sign 0.90"), (0.9, None, None, "holds: "),
     (0.7, 0.52, 0.95, "holds in part: sign 0.70, 74% of supervised"),
     (0.7, 0.69, 0.95, "fails: sign 0.70 is no better"), (0.52, None, 0.95, "fails: ")],
)  # fmt: skip
def test_verdicts(child, control, supervised, begins):
    figures = [None if value is None else {"sign": value} for value in (supervised, control)]
    said = zero_shot.verdict("sign", {"sign": child}, {"sign": 0.5}, *figures)
    assert said.startswith(begins) and ("the control" in said) == (control is not None)


def test_what_does_not_turn_in_the_mirror_is_something_else():
    figures = {"sign": 0.9}, {"sign": 0.5}
    said = zero_shot.verdict("sign", *figures, mirror={"correlation": 0.6})
    assert said.startswith("fails: ") and "something else is read" in said
    assert zero_shot.verdict("sign", *figures, mirror={"correlation": -0.6}).startswith("holds: ")


def test_what_claims_are_judged_by():
    assert zero_shot.judged_by("classify", True) == "balanced accuracy"
    assert [zero_shot.judged_by("regress", odd) for odd in (True, False)] == ["sign", "Spearman"]
