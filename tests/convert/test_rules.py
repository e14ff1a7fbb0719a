"""Names, layouts and filters between our variables and official tensors."""

import numpy as np
import pytest

from aligned_jax.config import DiscriminatorConfig, GeneratorConfig, SynthesisConfig
from aligned_jax.convert.rules import (
    filter_kernel,
    filters,
    from_official,
    to_official,
)
from tests.helpers import random_tensors

GENERATOR = GeneratorConfig(
    8,
    z_dim=5,
    w_dim=6,
    synthesis=SynthesisConfig(channels=(4, 3), architecture="resnet", resample_filter=(1, 2, 4)),
)
DISCRIMINATOR = DiscriminatorConfig(8, channels=(4, 3), resample_filter=(1.0, 2.0, 4.0))
DEFAULT = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64
ASYMMETRIC = np.outer([1, 2, 4], [1, 2, 4]).astype(np.float32) / np.float32(49)


@pytest.mark.parametrize("config", [GENERATOR, DISCRIMINATOR])
def test_there_and_back(config):
    tensors = random_tensors(config)
    back = to_official(config, from_official(config, tensors))
    assert sorted(back) == sorted(tensors)
    assert all(np.array_equal(back[name], tensors[name]) for name in tensors)
    assert all(tensor.flags.c_contiguous for tensor in back.values())


def test_layouts_are_transposes():
    tensors = random_tensors(GENERATOR)
    variables = from_official(GENERATOR, tensors)
    block = variables["params"]["synthesis"]["b8"]
    weight = tensors["synthesis.b8.conv0.weight"]  # [O, I, H, W]
    assert block["conv0"]["weight"].shape == (3, 3, 4, 3)
    assert block["conv0"]["weight"][0, 2, 3, 1] == weight[1, 3, 0, 2]
    affine = tensors["synthesis.b8.conv0.affine.weight"]  # [out, in]
    assert block["conv0"]["affine"]["weight"][5, 2] == affine[2, 5]
    const = tensors["synthesis.b4.const"]  # [C, H, W]
    assert variables["params"]["synthesis"]["b4"]["const"][1, 2, 3] == const[3, 1, 2]
    assert block["conv0"]["noise_strength"].shape == ()
    noise = variables["noise"]["synthesis"]["b8"]["conv1"]["noise_const"]
    assert np.array_equal(noise, tensors["synthesis.b8.conv1.noise_const"])
    assert np.array_equal(variables["stats"]["mapping"]["w_avg"], tensors["mapping.w_avg"])


def test_the_dense_layer_after_the_blocks_keeps_channels_first():
    tensors = random_tensors(DISCRIMINATOR)
    fc = from_official(DISCRIMINATOR, tensors)["params"]["b4"]["fc"]["weight"]
    assert fc.shape == (4 * 16, 4)
    assert np.array_equal(fc, tensors["b4.fc.weight"].T)


def test_special_numbers_survive():
    tensors = random_tensors(GENERATOR)
    weight = tensors["mapping.fc0.weight"]
    weight[0, :3] = [-0.0, 1e-45, np.finfo(np.float32).max]
    back = to_official(GENERATOR, from_official(GENERATOR, tensors))
    assert back["mapping.fc0.weight"].tobytes() == weight.tobytes()


def test_generator_filters_stand_where_official_files_have_them():
    ours = filters(GENERATOR)
    configured = {"b4", "b8", "b8.conv0", "b8.skip"}
    default = {"b4.conv1", "b8.conv1"}
    names = {f"synthesis.{layer}.resample_filter" for layer in configured | default}
    assert set(ours) == names
    for layer in configured:
        assert np.array_equal(ours[f"synthesis.{layer}.resample_filter"], ASYMMETRIC)
    for layer in default:
        assert np.array_equal(ours[f"synthesis.{layer}.resample_filter"], DEFAULT)


def test_discriminator_filters_stand_where_official_files_have_them():
    ours = filters(DISCRIMINATOR)
    configured = {"b8", "b8.conv1", "b8.skip"}
    default = {"b8.fromrgb", "b8.conv0", "b4.conv"}
    assert set(ours) == {f"{layer}.resample_filter" for layer in configured | default}
    for layer in configured:
        assert np.array_equal(ours[f"{layer}.resample_filter"], ASYMMETRIC)
    for layer in default:
        assert np.array_equal(ours[f"{layer}.resample_filter"], DEFAULT)


def test_filter_kernels():
    assert filter_kernel((1.0, 3.0, 3.0, 1.0)).tobytes() == DEFAULT.tobytes()
    eight = filter_kernel((1.0, 2.0, 3.0, 4.0, 4.0, 3.0, 2.0, 1.0))
    assert eight.shape == (8,) and eight[3] == np.float32(0.2)
    seven = filter_kernel((1.0,) * 7)
    assert seven.shape == (7, 7)
    rows = filter_kernel(((1.0, 2.0, 1.0), (0.0, 1.0, 3.0)))
    assert rows.shape == (2, 3) and rows[1, 2] == np.float32(3 / 8)
    assert filter_kernel(()).tolist() == [[1.0]]


def test_one_network_at_a_time_is_read():
    """Lazy tensors are asked once, for the leaves alone."""

    class Lazy:
        def __init__(self, array):
            self.array, self.reads = array, 0

        def numpy(self):
            self.reads += 1
            return self.array

    lazy = {name: Lazy(tensor) for name, tensor in random_tensors(GENERATOR).items()}
    from_official(GENERATOR, lazy)
    assert {tensor.reads for name, tensor in lazy.items() if "filter" not in name} == {1}
