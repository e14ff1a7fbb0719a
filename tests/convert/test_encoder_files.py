"""Files of pSp and e4e: encoder and generator, in the published layout."""

import numpy as np
import pytest

import aligned_jax as aj
from aligned_jax.config import EncoderConfig
from aligned_jax.convert import read_official, to_official
from aligned_jax.errors import FormatError, UserError
from aligned_jax.networks import fingerprint, variable_shapes
from tests.convert.test_rosinality import generator_state
from tests.helpers import same_values
from tests.makers.official_file import write_rosinality

STAGES = ((4, 1), (5, 2), (6, 1), (7, 1))
ROWS = EncoderConfig(32, "w+", 4, 6, deltas=True, stages=STAGES)
POOLED = EncoderConfig(256, "w", 4, 6, stages=STAGES)
LATENT_AVG = np.arange(24, dtype=np.float32).reshape(4, 6)


def variables_of(config, seed=0):
    import jax

    rng = np.random.default_rng(seed)
    drawn = jax.tree.map(
        lambda leaf: rng.uniform(0.1, 0.9, leaf.shape).astype(np.float32), variable_shapes(config)
    )
    mean = LATENT_AVG if config.has_rows else LATENT_AVG[0]
    return {**drawn, "stats": {**drawn["stats"], "latent_avg": mean}}


def checkpoint(config=ROWS, **opts):
    """What the official training saves."""
    kind = "Encoder4Editing" if config.deltas else "GradualStyleEncoder"
    kind = kind if config.has_rows else "BackboneEncoderUsingLastLayerIntoW"
    tensors = to_official(config, variables_of(config))
    tensors.pop("latent_avg")
    state = {f"encoder.{name}": value for name, value in tensors.items()}
    state["encoder.body.0.res_layer.0.num_batches_tracked"] = np.array(7, np.int64)
    state |= {f"decoder.{name}": value for name, value in generator_state().items()}
    known = {"encoder_type": kind, "start_from_latent_avg": True, "stylegan_size": 8, "lr": 1e-4}
    mean = LATENT_AVG if config.has_rows else LATENT_AVG[:1]
    return {"state_dict": state, "opts": known | opts, "latent_avg": mean}


def written(tmp_path, value, legacy=False):
    path = tmp_path / "e4e.pt"
    write_rosinality(path, value, legacy=legacy)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("legacy", [False, True])
def test_an_encoder_and_its_generator(tmp_path, legacy):
    path = written(tmp_path, checkpoint(), legacy)
    official = read_official(path)
    assert list(official.networks) == ["G_ema", "E"]
    assert official.networks["E"].config == ROWS
    assert same_values(official.networks["E"].variables(), variables_of(ROWS))
    generator = official.networks["G_ema"].variables()
    np.testing.assert_array_equal(generator["stats"]["mapping"]["w_avg"], LATENT_AVG[0])
    known = {"network": "e4e.pt", "sha256": fingerprint(generator)}
    assert official.source["generator"] == known
    network = aj.load(path)
    encoder = aj.load_encoder(path, network)
    assert (encoder.space, encoder.config) == ("w+", ROWS)
    aj.save(tmp_path / "both", aj.load_all(path), {"generator": known})
    aj.load_encoder(tmp_path / "both", aj.load(tmp_path / "both"))


def test_other_kinds(tmp_path):
    pooled = read_official(written(tmp_path, checkpoint(POOLED))).networks["E"]
    assert pooled.config == POOLED
    assert same_values(pooled.variables(), variables_of(POOLED))
    # Its mean once for each row, as official runs keep it; codes are counted from the first.
    for mean in (LATENT_AVG, np.tile(LATENT_AVG[:1], (4, 1)), LATENT_AVG[0]):
        pooled = read_official(written(tmp_path, checkpoint(POOLED) | {"latent_avg": mean}))
        assert same_values(pooled.networks["E"].variables(), variables_of(POOLED))
        w_avg = pooled.networks["G_ema"].variables()["stats"]["mapping"]["w_avg"]
        np.testing.assert_array_equal(w_avg, LATENT_AVG[0])
    plain = checkpoint(EncoderConfig(32, "w+", 4, 6, stages=STAGES), start_from_latent_avg=False)
    encoder = read_official(written(tmp_path, plain)).networks["E"]
    assert not encoder.config.deltas
    np.testing.assert_array_equal(encoder.variables()["stats"]["latent_avg"], np.zeros((4, 6)))
    alone = checkpoint()
    alone["state_dict"] = {n: t for n, t in alone["state_dict"].items() if n.startswith("encoder")}
    official = read_official(written(tmp_path, alone))
    assert list(official.networks) == ["E"] and "generator" not in official.source
    assert "not known whose encoder" in official.source["warnings"][0]
    with pytest.raises(UserError, match="has no network 'G_ema'; it has E"):
        aj.load(tmp_path / "e4e.pt")


def refusal(tmp_path, value):
    path = written(tmp_path, value)
    with pytest.raises(FormatError) as caught:
        read_official(path)
    assert str(caught.value).startswith("e4e.pt: ")
    return str(caught.value)


def test_damaged_and_unknown_files_are_refused(tmp_path):
    other = checkpoint(encoder_type="BackboneEncoderUsingLastLayerIntoWPlus")
    assert "readable are GradualStyleEncoder" in refusal(tmp_path, other)
    silent = checkpoint()
    silent["opts"].pop("encoder_type")
    assert "does not say its encoder_type" in refusal(tmp_path, silent)
    broken = checkpoint()
    broken["state_dict"].pop("encoder.latlayer2.bias")
    broken["state_dict"]["encoder.styles.1.linear.bias"] = np.zeros(5, np.float32)
    broken["state_dict"]["encoder.more"] = np.zeros(1, np.float32)
    broken["state_dict"]["decoder.conv1.activate.bias"] = np.full(5, np.nan, np.float32)
    text = refusal(tmp_path, broken)
    for part in (
        "E: latlayer2.bias [7] is missing",
        "E: more [1] is unexpected",
        "E: styles.1.linear.bias has shape [5], expected [6]",
        "G_ema: synthesis.b4.conv1.bias holds 5 of 5 values that are not finite",
    ):
        assert part in text
    gap = checkpoint()
    gap["state_dict"].pop("encoder.styles.1.linear.weight")
    assert "numbered [0, 2, 3]" in refusal(tmp_path, gap)
    mean = checkpoint() | {"latent_avg": np.zeros((3, 6), np.float32)}
    assert "latent_avg has shape [3, 6], expected [4, 6]" in refusal(tmp_path, mean)
    mean = checkpoint(POOLED) | {"latent_avg": np.zeros((3, 6), np.float32)}
    assert "latent_avg has shape [3, 6], expected [4, 6] or [6]" in refusal(tmp_path, mean)
    none = checkpoint() | {"latent_avg": None}
    assert "which it does not have" in refusal(tmp_path, none)
