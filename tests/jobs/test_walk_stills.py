"""Frames of walks, as PNG files, against still images of the same settings: equal to the bit."""

import dataclasses

import jax
import numpy as np
import pytest
from PIL import Image

from aligned_jax import jobs, loading
from aligned_jax.jobs.edits.words import WordOptions
from aligned_jax.jobs.walks.noise import NoiseLoop
from aligned_jax.latents import (
    Curve,
    lerp,
    mix_styles,
    noise_fields,
    numbers_at,
    truncate,
    z_from_seeds,
)
from aligned_jax.rendering import LatentBatch, edited
from aligned_jax.rendering.activations import ActivationColours, activations
from aligned_jax.semantics import Direction
from aligned_jax.viz import to_uint8

SEEDS = [3, 5, 4]


@pytest.fixture(scope="module")
def other(child):
    return loading.load(child)


@pytest.fixture(scope="module")
def direction(network, tmp_path_factory):
    """direction("w") -> the file of a direction."""
    place = tmp_path_factory.mktemp("directions")
    vector = np.float32([1, 2, 0, -1, 0, 1]) / np.sqrt(7)

    def write(space):
        file = place / f"{space}.npz"
        if not file.exists():
            jobs.write_direction(file, Direction(space, {space: vector}, 0.7, "", -0.1))
        return str(file)

    return write


@pytest.fixture
def frames(network, tmp_path):
    """frames(seeds, **options) -> those of a film of one image at a time, read from PNG files."""

    def film(seeds, **options):
        folder = tmp_path / f"film{len(list(tmp_path.iterdir()))}"
        jobs.walk(network, seeds, batch=1, **options).write(folder)
        files = sorted(folder.glob("frame*.png"))
        return np.stack([np.asarray(Image.open(file)) for file in files])

    return film


def still(network, latents, **options):
    """The images that `generate` draws of seeds, or of W+ or z [N, ...], one by one."""
    if isinstance(latents, np.ndarray | jax.Array):
        arrays = {"ws" if latents.ndim == 3 else "z": np.asarray(latents, np.float32)}
        if "z" in arrays:
            arrays["c"] = np.zeros((len(latents), 0), np.float32)
        arrays |= options.pop("maps", {})
        names = tuple(f"row {row}" for row in range(len(latents)))
        given = {"latents": LatentBatch(arrays, names, np.zeros(len(latents), np.uint32))}
    else:
        given = {"seeds": latents}
    return to_uint8(jobs.generate(network, **given, batch=1, **options).images())


def own(network, seeds=SEEDS):
    """W+ [N, L, D], mapped one by one and not truncated."""
    z = z_from_seeds(network.config, seeds)
    return np.concatenate([network.mapping(row[None]) for row in z])


def same(found, expected):
    np.testing.assert_array_equal(found, np.asarray(expected))


@pytest.mark.parametrize("space", ["w", "z"])
def test_psi(network, frames, space):
    values = [0.3, 0.9, 1.5]
    found = frames(SEEDS, animate={"psi": values}, space=space, frames=2)
    for seed, psi, frame in zip(SEEDS, values, found[::2], strict=True):
        same(frame, still(network, [seed], psi=psi)[0])
    psi = numbers_at(values, np.arange(6) / 2)
    keys = own(network) if space == "w" else z_from_seeds(network.config, SEEDS)
    points = Curve(keys, "cubic" if space == "w" else "spherical").at(np.arange(6) / 2)
    for number in (1, 3, 5):
        between = points[number : number + 1]
        same(found[number], still(network, between, psi=float(psi[number]))[0])


@pytest.mark.parametrize("space", ["w", "z"])
def test_a_cutoff_is_the_same_in_z_and_in_w(network, frames, space):
    """Not so in a fork that cuts off in W alone: there one psi has two pictures."""
    how = {"psi": 0.4, "cutoff": 2}
    found = frames([3, 5], space=space, frames=1, **how)
    same(found, still(network, [3, 5], **how))
    assert (found != frames([3, 5], space=space, frames=1, psi=0.4)).any()


@pytest.mark.parametrize("kind", ["2_2", "w", "z"])
def test_edits(network, frames, direction, kind):
    word = kind if kind == "2_2" else direction(kind)
    space = "z" if kind == "z" else "w"
    how = {"psi": 0.7, "space": space, "samples": 500}
    found = frames([3], animate={word: [-4, 5]}, frames=1, **how)
    for frame, strength in zip(found, (-4, 5), strict=True):
        request = jobs.EditRequest([f"{word}:{strength}"], samples=500)
        drawn = jobs.edit([network], request, latents=[3], psi=0.7, both=False, batch=1)
        same(frame, drawn.sheet().images[0, -1])
    assert (found[0] != found[1]).any()


def test_weights(network, other, frames):
    values = [0, 0.25, 1.0]
    found = frames(SEEDS, child=other, animate={"t2": values}, frames=1)
    for ws, t2, frame in zip(own(network)[:, None], values, found, strict=True):
        same(frame, still(jobs.interpolate(network, other, t2), ws)[0])
    same(found[0], still(network, [3])[0])
    assert (found[2] != still(network, [4])[0]).any()


@pytest.mark.parametrize("space", ["w", "z"])
def test_latents_towards_those_of_a_child(network, other, frames, space):
    values = [0.0, 1.0, 0.4]
    how = {"child": other, "psi": 0.5, "space": space, "frames": 1}
    found = frames(SEEDS, animate={"t1": values}, **how)
    a, b = (np.asarray(truncate(own(one), np.asarray(one.w_avg), 0.5)) for one in (network, other))
    for row, (t1, frame) in enumerate(zip(values, found, strict=True)):
        ws = lerp(a[row : row + 1], b[row : row + 1], np.float32(t1))
        same(frame, still(network, ws)[0])
    same(found[0], still(network, [3], psi=0.5)[0])
    both = frames([5], animate={"t1": [1], "t2": [0, 1]}, **how)
    same(both[1], still(other, [5], psi=0.5)[0])  # all of the child


def test_swaps(network, other, frames):
    found = frames([3], child=other, animate={"swap": [4, 8]}, frames=2, curve="linear")
    ws = own(network, [3])
    for last, frame in zip((4, 4, 8, 4), found, strict=True):  # 5.7 pixels between are those of 4
        same(frame, still(jobs.swap(network, other, last), ws)[0])
    smooth = frames(
        [3], child=other, animate={"swap": [4, 8]}, smooth=1.5, frames=2, curve="linear"
    )
    for last, frame in zip((4, np.sqrt(32), 8), smooth, strict=False):
        same(frame, still(jobs.swap(network, other, last, smooth=1.5), ws)[0])
    assert len(np.unique(smooth, axis=0)) == 3


def test_noise_in_a_loop(network, frames):
    found = frames([3], animate={"psi": [0.5, 0.5]}, noise="loop", noise_seed=7, frames=4)
    still_noise = frames([3], animate={"psi": [0.5, 0.5]}, noise="random", noise_seed=7, frames=4)
    same(found[0], still_noise[0])
    assert len(np.unique(found, axis=0)) == 8 and len(np.unique(still_noise, axis=0)) == 1
    key, cell = jax.random.key(7), np.zeros(1, np.uint32)
    first = noise_fields(network.config, key, cell)
    second = noise_fields(network.config, jax.random.fold_in(key, 2**32 - 1), cell)
    ws = truncate(own(network, [3]), np.asarray(network.w_avg), 0.5)
    for number, frame in enumerate(found):
        angle = 2 * np.pi * number / 8
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        maps = {
            f"noise/{layer}": np.asarray(cosine * first[layer] + sine * second[layer])
            for layer in first
        }
        same(frame, still(network, ws, maps=maps)[0])


def test_styles_that_are_held(network, frames):
    found = frames([3, 5], mix="9", mix_layers="2-3", psi=0.7, frames=2)
    for seed, frame in zip((3, 5), found[::2], strict=True):
        sheet = jobs.mix(network, [seed], [9], "2-3", psi=0.7, batch=1)
        same(frame, sheet.images[1, 1])
    reverse = frames([3, 5], mix=[9], mix_layers=[0, 1], psi=0.7, frames=2)
    sheet = jobs.mix(network, [3], [9], "0-1", psi=0.7, batch=1)
    same(reverse[0], sheet.images[1, 1])
    assert (reverse != found).any()
    each = frames([3, 5, 4, 7], grid=(2, 1), mix="9,8", mix_layers="2-3", psi=0.7, frames=2)
    same(each[:, :, :8], found)
    sheet = jobs.mix(network, [4], [8], "2-3", psi=0.7, batch=1)
    same(each[0, :, 8:], sheet.images[1, 1])


def towards(network, centre):
    """The network with another mean of w."""
    stats = {"mapping": {"w_avg": np.asarray(centre, np.float32)}}
    return dataclasses.replace(network, variables={**network.variables, "stats": stats})


@pytest.mark.parametrize("space", ["w", "z"])
def test_a_centre(network, frames, tmp_path, space):
    found = frames([3, 5], centre=8, psi=0.4, space=space, frames=2)
    moved = towards(network, own(network, [8])[0, 0])
    same(found[::2], still(moved, [3, 5], psi=0.4))
    assert (found[0] != still(network, [3], psi=0.4)[0]).any()
    same(frames([3, 5], centre="8", animate={"psi": [0]}, frames=1, space=space)[0],
         still(network, [8])[0])  # fmt: skip
    jobs.generate(network, [8]).write(tmp_path / "one.npz")
    (tmp_path / "several").mkdir()
    for seed in (6, 8):
        jobs.generate(network, [seed]).write(tmp_path / "several" / f"{seed}.npz")
    of_file = frames([3, 5], centre=tmp_path / "one.npz", psi=0.4, space=space, frames=2)
    assert np.abs(of_file.astype(int) - found).max() <= 1
    if space == "z":  # a folder of `aligned invert`
        (tmp_path / "several" / "inversions.json").write_text("{}")
    of_folder = frames([3, 5], centre=tmp_path / "several", psi=0, space=space, frames=1)[0]
    mean = own(network, [6, 8]).mean(axis=0, keepdims=True)
    assert np.abs(of_folder.astype(int) - still(network, mean)[0]).max() <= 1


def test_a_centre_whose_rows_differ(network, frames, tmp_path):
    ws = np.concatenate([own(network, [6])[:, :2], own(network, [8])[:, 2:]], axis=1)
    np.savez(tmp_path / "plus.npz", ws=ws)
    found = frames([3], centre=tmp_path / "plus.npz", animate={"psi": [0, 0.5]}, frames=1)
    same(found[0], still(network, ws)[0])
    same(found[1], still(network, truncate(own(network, [3]), ws[0], 0.5))[0])


def test_activations_of_a_layer(network, frames):
    found = frames([3, 5], layer="b8/conv1", frames=2)
    ws = Curve(own(network, [3, 5])).at(np.arange(4) / 2)
    styles = [network.styles(row[None]) for row in ws]
    maps = np.concatenate([activations(network, one, "b8.conv1") for one in styles])
    same(found, to_uint8(ActivationColours.of([maps])(maps)))
    pixels = maps.reshape(-1, maps.shape[-1]).astype(float)
    scores = (pixels - pixels.mean(axis=0)) @ np.linalg.svd(pixels - pixels.mean(axis=0))[2][0]
    red = (found[..., 0].reshape(-1) - 128.0) / 127.5
    inside = np.abs(red) < 0.9
    assert abs(np.corrcoef(red[inside], scores[inside])[0, 1]) > 0.999
    small = frames([3, 5], layer="b4.conv1", frames=1)
    assert small.shape[1:] == (8, 8, 3)
    same(small[:, ::2, ::2], small[:, 1::2, 1::2])  # 4 pixels, each a square of 2 x 2


def test_everything_at_once(network, other, frames, direction):
    """Mixed, truncated, edited in W, brought to S by a blend, edited there, with moving noise."""
    moving = {"t2": [0.2, 0.6], "psi": [0.5, 0.9], direction("w"): [1, -2], "2_2": [3, 5]}
    found = frames([3, 5], child=other, animate=moving, mix=[9], mix_layers=[3], centre=8,
                   cutoff=3, noise="loop", noise_seed=2, frames=1, samples=500)  # fmt: skip
    rows = own(network, [3, 5]), own(network, [9]), own(network, [8])[0, 0]
    edits = jobs.read_edits("", network, [direction("w"), "2_2"], WordOptions(samples=500))
    for number, frame in enumerate(found):
        t2, psi, *amounts = (values[number] for values in moving.values())
        ws = np.asarray(mix_styles(rows[0][number : number + 1], rows[1], [3]))
        ws = np.asarray(truncate(ws, rows[2], psi, 3))
        angle = np.pi * number  # half a turn: the fields of frame 1 are minus those of frame 0
        fields = noise_fields(network.config, jax.random.key(2), np.zeros(1, np.uint32))
        second = jax.random.fold_in(jax.random.key(2), 2**32 - 1)
        across = noise_fields(network.config, second, np.zeros(1, np.uint32))
        cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        arrays = {"ws": ws} | {
            f"noise/{layer}": np.asarray(cosine * fields[layer] + sine * across[layer])
            for layer in fields
        }
        latents = LatentBatch(arrays, ("",), np.zeros(1, np.uint32))
        blend = jobs.interpolate(network, other, t2)
        chosen = [edit.with_amount(amount) for edit, amount in zip(edits, amounts, strict=True)]
        drawn = jobs.generate(blend, latents=edited(blend, latents, chosen), batch=1).images()
        same(frame, to_uint8(drawn)[0])


def test_noise_between_two_fields_is_as_strong_as_they_are(network):
    """The plain mean of two fields has 0.71 of their deviation, and pictures would be smoother."""
    fields = NoiseLoop(network.config, 0)
    numbers = [
        np.concatenate([field.ravel() for field in fields.at(cell, np.array([1 / 8])).values()])
        for cell in range(20)
    ]
    assert np.std(np.concatenate(numbers)) == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(numbers[0], numbers[1])[0, 1]) < 0.3
