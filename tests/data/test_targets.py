"""Pictures as users have them, on their way to an inversion."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import targets
from aligned_jax.errors import UserError


def gradient(width=8, height=8):
    shades = np.add.outer(np.arange(height) * 4, np.arange(width) * 12)
    return np.repeat(shades[..., None], 3, axis=2).astype(np.uint8)


@pytest.fixture
def only(tmp_path):
    """only(NAME, save) -> pixels of the one picture that `save(path)` writes."""

    def run(name, save, **options):
        save(tmp_path / name)
        taken = targets.read([str(tmp_path / name)], 8, **{"channels": 3} | options)
        assert not taken.skipped
        return taken.targets[0].pixels

    return run


def test_modes_of_pictures(only):
    plain = gradient()
    image = Image.fromarray(plain)
    assert (only("rgb.png", image.save) == plain).all()
    assert (only("grey.png", image.convert("L").save) == plain).all()
    assert only("grey.png", image.convert("L").save, channels=1).shape == (8, 8, 1)
    deep = Image.fromarray(plain[..., 0].astype(np.uint16) * 257)
    assert (only("deep.png", deep.save) == plain).all()
    alpha = np.concatenate([plain, np.zeros((8, 8, 1), np.uint8)], axis=2)
    assert (only("alpha.png", Image.fromarray(alpha).save) == 255).all()
    cmyk = only("cmyk.jpg", image.convert("CMYK").save)
    np.testing.assert_allclose(cmyk.astype(int), plain, atol=12)
    others = [Image.fromarray(255 - plain)]
    film = only("film.gif", lambda p: image.save(p, save_all=True, append_images=others))
    np.testing.assert_allclose(film.astype(int), plain, atol=4)


def test_the_middle_square_is_taken(only):
    wide = Image.fromarray(gradient(16, 8))
    assert (only("wide.png", wide.save) == gradient(16, 8)[:, 4:12]).all()
    large = only("large.png", wide.resize((64, 32)).save)
    np.testing.assert_allclose(large.astype(int), gradient(16, 8)[:, 4:12], atol=8)


def test_without_aligning_squares_alone_are_taken(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "a.png")
    Image.fromarray(gradient(16, 8)).save(tmp_path / "b.png")
    taken = targets.read([str(tmp_path)], 8, 3, align="none")
    assert [target.name for target in taken.targets] == ["a"]
    assert taken.skipped == {f"{tmp_path}/b.png": "16x8 pixels are not square"}
    assert not targets.read([str(tmp_path)], 8, 3).skipped


def test_one_damaged_picture_in_a_hundred(tmp_path):
    for number in range(100):
        Image.fromarray(gradient()).save(tmp_path / f"{number:02d}.png")
    whole = (tmp_path / "50.png").read_bytes()
    (tmp_path / "50.png").write_bytes(whole[: len(whole) // 2])
    taken = targets.read([str(tmp_path)], 8, 3)
    assert len(taken.targets) == 99
    assert list(taken.skipped) == [f"{tmp_path}/50.png"]
    images = taken.images()
    assert images.shape == (99, 8, 8, 3)
    assert (images[0] == gradient()).all()


def test_names_of_results_differ(tmp_path):
    for name in ("a/x.png", "b/x.png", "x.png", "x.webp", "b/y.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(gradient()).save(tmp_path / name)
    names = lambda *sources: [t.name for t in targets.read(sources, 8, 3).targets]  # noqa: E731
    assert names(str(tmp_path) + "/") == ["a_x", "b_x", "b_y", "x_png", "x_webp"]
    one, two = str(tmp_path / "a"), str(tmp_path / "b")
    assert names(one, two) == ["0000_x_png", "0001_x_png", "0002_y"]
    assert names(one, one) == ["x"]


def test_zips_are_read(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "a.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.png", "in/a.png")
    taken = targets.read([str(tmp_path / "a.zip")], 8, 3)
    assert [target.file for target in taken.targets] == [f"{tmp_path}/a.zip/in/a.png"]


def test_what_is_no_picture_does_not_stop_the_others(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "a.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "p.HEIC").write_bytes(b"ftypheic")
    (tmp_path / "bad.zip").write_bytes(b"PK cut off")
    (tmp_path / "empty").mkdir()
    for name in ("latents.npz", "latents.pt"):  # both are zips
        with open(tmp_path / name, "wb") as file:
            np.savez(file, ws=np.zeros(3))
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        for entry in ("../evil.png", "in/good.png", "..\\evil.png"):
            archive.write(tmp_path / "a.png", entry)
    names = (
        "a.png",
        "notes.txt",
        "p.HEIC",
        "bad.zip",
        "empty",
        "latents.npz",
        "latents.pt",
        "evil.zip",
    )
    taken = targets.read([f"{tmp_path}/{name}" for name in names], 8, 3)
    assert [target.name for target in taken.targets] == ["a", "in_good"]
    no_picture = f"no picture ({', '.join(targets.SUFFIXES)}) and no zip"
    leads_out = "its name leads out of the zip"
    latents = "latents are no picture; give them as `latents`"
    assert {file.removeprefix(f"{tmp_path}/"): why for file, why in taken.skipped.items()} == {
        "notes.txt": no_picture,
        "p.HEIC": no_picture,
        "bad.zip": "no zip, or a damaged one",
        "empty": "there are no pictures in it",
        "latents.npz": latents,
        "latents.pt": latents,
        "evil.zip/../evil.png": leads_out,
        "evil.zip/..\\evil.png": leads_out,
    }
    with pytest.raises(UserError, match=r"no picture can be used \(.*notes.txt: no picture"):
        targets.read([str(tmp_path / "notes.txt")], 8, 3)


def test_results_may_not_replace_their_sources(tmp_path):
    for name in ("photos/in/a.png", "photos/b.jpg", "lone.png", "out/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(gradient()).save(tmp_path / name)
    (tmp_path / "link.png").symlink_to("lone.png")
    np.savez(tmp_path / "f.npz", ws=np.zeros(3))

    def check(sources, results):
        paths = [[f"{tmp_path}/{name}" for name in names] for names in (sources, results)]
        targets.check_apart(*paths)

    check(["photos", "lone.png", "3"], ["photos/b.png", "out/a.png", "photos/a.png"])
    check(["photos/b.jpg"], ["photos"])
    for sources, result in (
        (["lone.png", "photos"], "photos/../photos/in/a.png"),
        (["lone.png"], "link.png"),
        (["link.png"], "lone.png"),
        (["f.npz@0"], "f.npz"),
        (["out"], "out"),
    ):
        with pytest.raises(UserError, match=r"results would replace what is given: .*(png|npz); "):
            check(sources, [result])


def test_what_cannot_be_read_at_all(tmp_path):
    with pytest.raises(UserError, match="5 channels"):
        targets.read([str(tmp_path)], 8, 5)
    with pytest.raises(UserError, match="there are no pictures in it"):
        targets.read([str(tmp_path)], 8, 3)
    (tmp_path / "dataset_info.json").write_text("{}")
    with pytest.raises(UserError, match="it is a dataset; give a folder of pictures"):
        targets.read([str(tmp_path)], 8, 3)
    with pytest.raises(UserError, match=r"no such picture, folder or zip: one\.png, two\.png"):
        targets.read(["one.png", "two.png"], 8, 3)


def test_arrays_are_prepared_like_files(tmp_path):
    wide = np.stack([gradient(24, 16), 255 - gradient(24, 16)])
    for number, pixels in enumerate(wide):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    for channels in (1, 3):
        files = targets.read([str(tmp_path)], 8, channels)
        arrays = targets.from_array(wide, 8, channels)
        np.testing.assert_array_equal(arrays.images(), files.images())
        assert [target.name for target in arrays.targets] == ["image0000", "image0001"]
        assert len(arrays) == 2 and not arrays.skipped
    square = gradient()[None]
    assert (targets.from_array(square, 8, 3, align="none").images() == square).all()
    assert targets.from_array(square[..., :1], 8, 3).images().shape == (1, 8, 8, 3)


def test_arrays_that_cannot_be_inverted():
    images = gradient(24, 16)[None]
    with pytest.raises(UserError, match="24x16 pixels are not square"):
        targets.from_array(images, 8, 3, align="none")
    for wrong in (images.astype(np.float32), images[0], images[..., :2], images[:0]):
        with pytest.raises(UserError, match=r"give uint8 \[N, H, W, 1, 3 or 4\]"):
            targets.from_array(wrong, 8, 3)
    with pytest.raises(UserError, match="5 channels"):
        targets.from_array(images, 8, 5)
