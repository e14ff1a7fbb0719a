"""--encoder and --start wherever pictures are inverted."""

import dataclasses
import json
import re

import jax
import numpy as np
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax import convert, inversion, loading
from aligned_jax.latents import noise_fields
from aligned_jax.utils import paths
from tests.networks.small_encoder import ENCODER, GENERATOR, filled, provenance_of

CONFIGS = {
    "e4e": ENCODER,
    "z": dataclasses.replace(ENCODER, space="z", latent_dim=5, deltas=False),
}
PIXELS = ("--perceptual", "none", "--pixels", 1)


def signed(config, seed):
    """Variables with negative weights as well, but for variances."""
    variables = filled(config, seed)
    moved = jax.tree.map(lambda v: v - np.float32(0.25), variables["params"])
    return variables | {"params": moved}


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """Folder of a parent, a child, encoders `e4e` and `z` of the parent, and two photos."""
    folder = tmp_path_factory.mktemp("family")
    parent = aj.Network(GENERATOR, signed(GENERATOR, 0))
    child = aj.Network(GENERATOR, signed(GENERATOR, 9) | {"noise": parent.variables["noise"]})
    for name, network in (("parent", parent), ("child", child)):
        loading.save(folder / name, network, {"kind": "made for a test", "file": name})
        whose = {"generator": provenance_of(name, network), "file": f"{name}'s"}
        for kind, config in CONFIGS.items():
            variables = signed(config, 1)
            place = kind if name == "parent" else f"{kind}-of-child"
            loading.save(folder / place, aj.EncoderNetwork(config, variables), whose)
    for number in range(2):
        pixels = np.random.RandomState(number).randint(0, 256, (32, 32, 3))
        (folder / "photos").mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / "photos" / f"{number}.png")
    return folder


@pytest.fixture
def invert(ok, family, tmp_path):
    """invert("options") -> the inversion of photo 0, and inversions.json."""

    def run(*options):
        out = tmp_path / "out"
        command = ("invert", family / "parent", family / "photos", *PIXELS, *options)
        run.said = ok(*command, "--out", out, "--overwrite")
        found = inversion.load(out / "0.npz", loading.load(family / "parent"))
        return found, json.loads((out / "inversions.json").read_text())

    return run


def expected(family, name):
    """What the encoder says of photo 0."""
    network = loading.load(family / "parent")
    pixels = np.asarray(Image.open(family / "photos" / "0.png"), np.float32)[None] / 127.5 - 1
    return network, np.asarray(loading.load_encoder(family / name, network)(pixels))


@pytest.mark.slow
def test_an_encoder_alone(invert, images, family, tmp_path):
    found, document = invert("--encoder", family / "e4e")
    _, latents = expected(family, "e4e")
    np.testing.assert_allclose(found.latent, latents, rtol=1e-3, atol=1e-4)
    assert (found.space, found.settings.steps, found.settings.noise) == ("w+", 0, "const")
    assert found.trace.shape == (0,)
    drawn = np.clip(images(family / "parent", "--latents", tmp_path / "out" / "0.npz")[0], -1, 1)
    target = np.asarray(Image.open(family / "photos" / "0.png"), np.float32) / 127.5 - 1
    assert np.square(drawn - target).mean() == pytest.approx(found.distances["pixel"], rel=1e-3)
    whose = {"encoder": str(family / "e4e"), "file": "parent's"}
    assert found.facts["encoder"] == document["encoder"] == whose
    assert "2 images encoded in w+" in invert.said
    quiet, _ = invert("--encoder", family / "e4e", "--noise", "none")
    assert quiet.distances != found.distances
    styles, _ = invert("--encoder", family / "e4e", "--space", "s")
    assert styles.space == "s"
    assert styles.distances["pixel"] == pytest.approx(found.distances["pixel"], rel=1e-3)


@pytest.mark.slow
def test_latents_in_z_are_not_truncated_unless_one_says_so(invert, family):
    found, _ = invert("--encoder", family / "z")
    network, latents = expected(family, "z")
    assert (found.space, found.settings.psi) == ("z", 1)
    np.testing.assert_allclose(found.latent, latents, rtol=1e-3, atol=1e-4)
    half, _ = invert("--encoder", family / "z", "--psi", 0.5)
    assert (half.latent == found.latent).all() and (half.ws != found.ws).any()
    mapped, _ = invert("--encoder", family / "z", "--space", "w")
    np.testing.assert_allclose(mapped.latent, network.mapping(latents)[:, 0], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_an_encoder_starts_the_optimisation(invert, family):
    steps = ("--steps", 4, "--samples", 20)
    plain, document = invert(*steps, "--space", "w+")
    assert not {"start", "encoder"} & set(document)
    found, document = invert(*steps, "--start", family / "e4e")
    assert document["start"]["encoder"] == str(family / "e4e") and "encoder" not in document
    assert (found.space, found.settings.steps, found.settings.psi) == ("w+", 4, 1)
    alone, _ = invert("--encoder", family / "e4e")
    # The first step is taken with a learning rate of zero.
    assert np.abs(found.latent - alone.latent).max() < np.abs(found.latent - plain.latent).max()
    assert (found.latent != alone.latent).any()
    z, _ = invert("--steps", 4, "--start", family / "z")
    assert (z.space, z.settings.psi) == ("z", 1)


@pytest.fixture
def translated(aligned, family, tmp_path):
    """translated("options") -> images of the translations alone."""

    def run(*options):
        out = tmp_path / "x.npz"
        command = ("translate", family / "parent", family / "child", *options)
        result = aligned(*command, "--out", out, "--overwrite")
        assert result.code == 0, result.err
        run.err = result.err
        with np.load(out) as file:
            return file["images"]

    return run


@pytest.mark.slow
def test_translation_takes_both(translated, ok, family, tmp_path):
    photo = family / "photos" / "0.png"
    found = translated(photo, "--encoder", family / "z")
    assert translated.err == ""
    _, latents = expected(family, "z")
    child = loading.load(family / "child")
    drawn = aj.translation.translate(child, {"z": latents}, psi=1.0)
    np.testing.assert_allclose(found, drawn, rtol=1e-3, atol=1e-3)
    command = ("invert", family / "parent", photo, *PIXELS, "--encoder", family / "z")
    ok(*command, "--out", tmp_path / "inverted")
    saved = translated("--latents", tmp_path / "inverted" / "0.npz")
    np.testing.assert_allclose(found, saved, atol=1e-3)
    rows = translated(photo, "--encoder", family / "e4e")
    in_z = translated(photo, *PIXELS, "--steps", 3, "--start", family / "z")
    plain = translated(photo, *PIXELS, "--steps", 3)
    half = translated(photo, "--encoder", family / "z", "--psi", 0.5)
    different = (found, rows, in_z, plain, half)
    for k, one in enumerate(different):
        assert all((one != other).any() for other in different[:k]), k


@pytest.mark.slow
def test_every_network_has_an_encoder_of_its_own(translated, refused, family, tmp_path):
    photo, layers = family / "photos" / "0.png", ("--layers", 0)
    both = ("--encoder", family / "e4e-of-child", "--encoder", family / "e4e")
    found = translated(photo, "--reference", photo, *layers, *both)
    child = loading.load(family / "child")
    pixels = np.asarray(Image.open(photo), np.float32)[None] / 127.5 - 1
    latents = loading.load_encoder(family / "e4e-of-child", child)(pixels)
    np.testing.assert_allclose(found, child.synthesis(latents), rtol=1e-3, atol=1e-3)
    command = ("translate", family / "parent", family / "child", photo, "--reference", photo)
    said = refused(*command, *layers, *both[2:], "--out", tmp_path / "no.npz")
    assert f"{family}/e4e: the encoder belongs to parent, not to this generator (child)" in said
    drawn = translated("--seeds", 1, *both)
    assert translated.err == "warning: --encoder changes nothing: there are no pictures to invert\n"
    np.testing.assert_array_equal(drawn, translated("--seeds", 1))


@pytest.mark.slow
def test_every_space_has_an_encoder_of_its_own(aligned, family, tmp_path):
    def page(*options):
        out = tmp_path / "x.html"
        command = ("translate", family / "parent", family / "child", family / "photos", *options)
        result = aligned(*command, "--out", out, "--overwrite")
        assert result.code == 0, result.err
        page.err = result.err
        text = out.read_text()
        told = re.findall(r"<td>([^<]*)</td><td>([^<]*)</td>", text.partition("<img")[0])
        return dict(told), re.findall(r"<img [^>]*>", text)

    z, e4e = (("--encoder", family / name) for name in ("z", "e4e"))
    told, pictures = page("--space", "z,w+", *z, *e4e)
    assert page.err == ""
    assert told["latents z"] == f"encoded in z, psi 1, encoder {family}/z"
    assert told["latents w+"] == f"encoded in w+, encoder {family}/e4e"
    assert pictures and page("--space", "z,w+", *e4e, *z)[1] == pictures
    told, _ = page("--space", "z,w+", *z)
    assert told["latents w+"] == f"encoded in w+, encoder {family}/z"
    for order in ((*z, *e4e), (*e4e, *z)):
        told, _ = page("--space", "w+", *order)
        assert told["latents"] == f"encoded in w+, encoder {family}/e4e"
        assert page.err.startswith(f"warning: --encoder {family}/z changes nothing: another")
        assert page.err.count("\n") == 1
    told, _ = page("--space", "w", *e4e, *z)  # the first does not reach that space
    assert told["latents"] == f"encoded in w, encoder {family}/z"
    page("--space", "z", *z, *e4e, "--encoder", family / "z-of-child")
    assert page.err.startswith(
        f"warning: --encoder {family}/e4e and --encoder {family}/z-of-child change nothing: "
    )


@pytest.mark.slow
def test_the_child_of_a_cartoon_is_truncated(translated, family):
    """The encoder's z bring the picture back at psi 1 only, and the parent shows them so."""
    photo, preset = family / "photos" / "0.png", ("--preset", "toonify")
    _, latents = expected(family, "z")
    child = loading.load(family / "child")
    fields = noise_fields(child.config, jax.random.key(0), np.zeros(1, np.uint32))
    for psi, options in ((0.5, ()), (1.0, ("--psi", 1)), (0.2, ("--psi", 0.2))):
        drawn = aj.translation.translate(child, {"z": latents}, psi, fields)
        found = translated(photo, *preset, "--encoder", family / "z", *options)
        np.testing.assert_allclose(found, drawn, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_a_page_of_cartoons_shows_the_inversions_as_they_are(aligned, family, tmp_path):
    def page(*options):
        out = tmp_path / "x.html"
        command = ("translate", family / "parent", family / "child", family / "photos" / "0.png")
        fixed = ("--encoder", family / "z", "--noise", "none", "--out", out, "--overwrite")
        result = aligned(*command, *options, *fixed)
        assert (result.code, result.err) == (0, "")
        text = out.read_text()
        return text, re.findall(r'<img [^>]*src="([^"]+)"', text)

    (_, plain), (told, toon) = page(), page("--preset", "toonify")
    assert plain[:2] == toon[:2] and plain[2] != toon[2]
    assert "psi 1, encoder" in told and "<td>psi</td><td>0.5</td>" in told
    _, half = page("--psi", 0.5)
    assert half[1] != toon[1] and half[2] == toon[2]


@pytest.mark.slow
def test_an_optimisation_of_a_cartoon_is_truncated(translated, ok, family, tmp_path):
    photo = family / "photos" / "0.png"
    start = (photo, *PIXELS, "--steps", 3, "--start", family / "z", "--noise", "none")
    toon = translated(*start, "--preset", "toonify")
    np.testing.assert_array_equal(toon, translated(*start, "--psi", 0.5))
    assert np.abs(toon - translated(*start)).max() > 1e-3


@pytest.mark.slow
@pytest.mark.usefixtures("never_inverts")
def test_encoders_are_looked_at_before_pictures_are_inverted(refused, family, tmp_path):
    photo, out = family / "photos" / "0.png", tmp_path / "x"
    networks = (family / "parent", family / "child", photo)
    steps = (*PIXELS, "--steps", 3, "--start", family / "e4e")
    said = refused("translate", *networks, "--space", "w+,z", *steps, "--out", f"{out}.png")
    assert "of w+, which cannot be brought to z" in said
    mixed = ("translate", *networks, "--reference", photo, "--layers", 0, *steps)
    assert "belongs to parent, not to" in refused(*mixed, "--out", f"{out}.png")
    morph = refused("morph", *networks, photo, *steps, "--out", f"{out}.webp")
    assert "belongs to parent, not to" in morph


@pytest.mark.slow
def test_morphs_take_both(aligned, family, tmp_path):
    def grid(*options):
        out = tmp_path / "grid.png"
        command = ("morph", family / "parent", family / "child", photo, 5, "--grid", "2x2")
        result = aligned(*command, *options, "--out", out, "--overwrite")
        assert (result.code, result.err) == (0, "")
        return np.asarray(Image.open(out)).astype(int)

    photo = family / "photos" / "0.png"
    steps = (*PIXELS, "--steps", 3)
    pages = [grid("--encoder", family / name) for name in ("e4e", "z")]
    pages += [grid(*steps), grid(*steps, "--start", family / "e4e")]
    for k, one in enumerate(pages):
        assert all(np.abs(one - other).max() > 1 for other in pages[:k]), k


@pytest.mark.slow
def test_the_zoo_may_have_encoders(invert, family, tmp_path, monkeypatch):
    encoder = loading.load(family / "e4e", "E")
    place = tmp_path / "zoo" / "e4e" / loading.ZOO_FILE
    place.parent.mkdir(parents=True)
    trees = {"E": (encoder.config, encoder.variables)}
    convert.write_safetensors(place, trees, encoder.provenance, half=True)
    found, _ = invert("--encoder", family / "e4e")
    monkeypatch.setattr(paths.resources, "files", lambda package: tmp_path)
    packed, document = invert("--encoder", "zoo:e4e")
    np.testing.assert_allclose(packed.latent, found.latent, rtol=0.05, atol=0.05)
    assert document["encoder"]["encoder"] == document["encoder"]["file"] == "zoo:e4e"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--encoder E4E --space w", "of w+, which cannot be brought to w; it can to w+, s"),
        ("--start E4E --space z", "of w+, which cannot be brought to z"),
        ("--encoder E4E --start E4E", "not allowed with argument"),
        ("--encoder CHILDS", "/parent): their weights differ"),
        ("--start CHILDS", "/parent): their weights differ"),
        ("--encoder PARENT", "has no network 'E'; it has G_ema"),
        ("--encoder nowhere", "nowhere: no such file or folder"),
        ("--encoder zoo:unicorn", "there is no zoo:unicorn"),
        ("--encoder E4E@12", "is not a run folder"),
        ("--encoder DAMAGED", "damaged"),
        ("--encoder NAN", "not finite"),
        ("--encoder TEXT", "TEXT"),
        ("--encoder E4E --steps 5 --lr 0.1", "--steps and --lr cannot be used together with --enc"),
        ("--encoder E4E --seed 0", "--seed cannot be used"),
        ("--encoder E4E --latent-noise 0", "--latent-noise cannot be used"),
        ("--encoder E4E --video", "--video cannot be used"),
        ("--encoder E4E --noise keep", "--noise keep optimises noise, and --encoder nothing"),
        ("--encoder E4E --psi 0.5", "only z and z+ are truncated"),
    ],
)
def test_what_encoders_cannot_do(line, expected, refused, family, tmp_path, contents):
    places = {"E4E": family / "e4e", "CHILDS": family / "e4e-of-child"}
    places |= {"PARENT": family / "parent", "E4E@12": f"{family}/e4e@12"}
    if "DAMAGED" in line or "NAN" in line:
        encoder = loading.load(family / "e4e", "E")
        variables = jax.tree.map(lambda v: v * np.float32(np.nan), encoder.variables)
        kept = variables if "NAN" in line else encoder.variables
        broken = aj.EncoderNetwork(encoder.config, kept)
        loading.save(tmp_path / "broken", broken, encoder.provenance)
        places |= dict.fromkeys(("NAN", "DAMAGED"), tmp_path / "broken")
    if "DAMAGED" in line:
        files = [path for path in (tmp_path / "broken").rglob("*") if path.is_file()]
        largest = max(files, key=lambda path: path.stat().st_size)
        largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    (tmp_path / "TEXT.pt").write_text("no encoder")
    places["TEXT"] = tmp_path / "TEXT.pt"
    before = contents(tmp_path)
    words = [places.get(word, word) for word in line.split()]
    command = ("invert", family / "parent", family / "photos", *PIXELS, *words)
    assert expected in refused(*command, "--out", tmp_path / "out")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "option",
    ["--steps 3", "--restarts 1", "--invert-seed 0", "--perceptual none", "--pixels 0"],
)
@pytest.mark.parametrize("verb", ["translate", "morph"])
def test_no_option_of_the_optimiser_is_taken_in_vain(verb, option, refused, tmp_path):
    ends = ("p.png",) if verb == "translate" else ("p.png", "3")
    command = (verb, "parent", "child", *ends, "--encoder", "e", *option.split())
    end = ".png" if verb == "translate" else ".webp"
    said = refused(*command, "--out", tmp_path / f"x{end}")
    assert f"{option.split()[0]} cannot be used together with --encoder" in said
