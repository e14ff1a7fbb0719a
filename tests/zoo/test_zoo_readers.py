"""The readers in the package: small, described, and right about what is drawn."""

import numpy as np
import pytest

from aligned_jax.data import draw_avatar
from aligned_jax.errors import UserError
from aligned_jax.features.attributes import load, zoo_readers
from aligned_jax.features.attributes.card import reader_card
from aligned_jax.features.attributes.file import ZOO_FILE
from aligned_jax.train import zoo_readers as program
from aligned_jax.zoo import readers
from aligned_jax.zoo.making import PACKAGE_ZOO

NAMES = sorted(readers.READERS)


def test_they_are_found_by_name():
    assert zoo_readers() == NAMES
    with pytest.raises(UserError, match="there are zoo:monsters-reader, zoo:people-reader"):
        load("zoo:somebody")


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_is_small_and_has_a_card(name):
    folder = PACKAGE_ZOO / name
    assert {path.name for path in folder.iterdir()} == {"card.md", "samples.png", ZOO_FILE}
    assert (folder / ZOO_FILE).stat().st_size < 1e6
    licence = (folder / "card.md").read_text("utf-8").partition("## Artwork\n\n")[2]
    assert "licensed under" in licence
    card = reader_card(f"zoo:{name}")
    assert readers.card_text(name, card, licence) == (folder / "card.md").read_text("utf-8")
    commands = [" ".join(command) for command in readers.commands(name).values()]
    assert card.reader.card["command"] == commands[1]
    if readers.READERS[name].parts is not None:
        assert card.reader.card["parts"]["command"] == commands[3]


def drawn(style, zoom, count):
    """Unseen pictures in [-1, 1], their yaw, and what they show."""
    yaws = np.linspace(-1, 1, count)
    pairs = [draw_avatar(style, f"other {k}", yaw=yaws[k], zoom=zoom) for k in range(count)]
    images = np.stack([image for image, _ in pairs]).astype(np.float32) / 127.5 - 1
    return images, np.asarray([told.yaw for _, told in pairs]), [told for _, told in pairs]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "style", "zoom"), [
    ("people-reader", "personas", 1.25), ("monsters-reader", "critters", 1.0),
])  # fmt: skip
def test_a_reader_is_right_about_faces_it_never_saw(name, style, zoom):
    images, yaws, told = drawn(style, zoom, 24)
    reader = load(f"zoo:{name}")
    found = reader(images)
    assert np.corrcoef(found["yaw"], yaws)[0, 1] > 0.9
    np.testing.assert_array_equal(reader(images[:, :, ::-1])["yaw"], -found["yaw"])
    smiles = np.asarray([one.smile == "yes" for one in told])
    assert ((found["smile"] > 0.5) == smiles).mean() > 0.75
    skin = np.asarray([one.skin_color for one in told])
    assert np.abs(found["skin_color"] - skin).mean() < 0.15
    if name == "people-reader":
        glasses = np.asarray([one.glasses == "yes" for one in told])
        assert ((found["glasses"] > 0.5) == glasses).mean() > 0.9


def test_the_program_shows_its_commands(tmp_path, capsys):
    assert program.main(["--work", str(tmp_path / "w"), "--only", *NAMES, "--show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    made = [len(readers.commands(name)) for name in NAMES]
    assert made == [2, 4]
    assert [line.split()[1] for line in lines] == ["data", "attributes"] * 3
    assert not (tmp_path / "w").exists()


def test_what_is_there_is_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "run_command", None)
    readers.make(NAMES[0], tmp_path / "work", PACKAGE_ZOO)
    assert not (tmp_path / "work").exists()
