"""Where the parts of a drawn face are, exactly; masks of the user beside pictures."""

import numpy as np
import pytest
from PIL import Image

from aligned_jax.data import draw_avatar
from aligned_jax.data.masked_pictures import drawn_again, with_masks
from aligned_jax.data.part_masks import draw_parts, part_names
from aligned_jax.errors import UserError

PEOPLE = ("background", "face", "beard", "clothes", "eyes", "glasses", "hair", "mouth", "nose")


def test_names_of_parts():
    assert part_names("personas") == PEOPLE
    assert "body" in part_names("critters") and "hair" not in part_names("critters")
    assert "animation" not in part_names("critters")


def found(labels, name):
    return labels == PEOPLE.index(name)


def test_a_part_is_where_recolouring_it_changes_the_picture():
    pose = {"roll": 10.0, "yaw": 0.5, "zoom": 1.25}
    image, labels = draw_parts("personas", "0/train/4", 64, **pose)
    plain, told = draw_avatar("personas", "0/train/4", 64, **pose)
    assert (image == plain).all() and labels.shape == (64, 64) and labels.dtype == np.uint8
    assert told.hair == "extraLong"
    other, _ = draw_avatar("personas", "0/train/4", 64, {"hair_color": "#00ff00"}, **pose)
    changed = np.abs(image.astype(int) - other).max(axis=-1)
    assert found(labels, "hair").sum() > 300
    assert (changed[found(labels, "hair")] > 30).all()
    assert (changed[found(labels, "face") | found(labels, "clothes")] < 180).all()
    white = (image == 255).all(axis=-1)
    assert (white[found(labels, "background")]).mean() > 0.95
    assert found(labels, "mouth").sum() > 5 and not found(labels, "glasses").any()


@pytest.mark.parametrize(("attribute", "part"), [("glasses", "glasses"), ("facial_hair", "beard")])
def test_what_some_people_have_is_a_part_of_theirs(attribute, part):
    told = {False: 0, True: 0}
    for seed in range(12):
        has = getattr(draw_avatar("personas", str(seed), 16)[1], attribute) == "yes"
        _, labels = draw_parts("personas", str(seed), 64)
        assert not (found(labels, part).any() and not has)
        told[has] += int(found(labels, part).any())
    assert told[True] or part == "beard"


@pytest.mark.slow
def test_pictures_of_a_dataset_are_drawn_again(faces):
    masked = drawn_again(faces, 32, 5)
    assert masked.images.shape == (5, 32, 32, 3) and masked.masks.shape == (5, 32, 32)
    assert set(masked.names) <= set(PEOPLE) and {"background", "face"} <= set(masked.names)
    assert set(np.unique(masked.masks)) == set(range(len(masked.names)))  # all occur
    from aligned_jax.data.dataset import open_dataset
    from aligned_jax.data.options import DataOptions

    again = drawn_again(faces, 16, 2).images
    dataset = open_dataset(DataOptions(str(faces)))
    assert all((again[k] == dataset[k][0]).all() for k in range(2))


def save(folder, name, values, mode="L"):
    folder.mkdir(exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).convert(mode).save(folder / name)


def test_masks_of_the_user(tmp_path):
    images, masks = tmp_path / "images", tmp_path / "masks"
    for k in range(2):
        save(images, f"{k}.jpg", np.full((8, 8, 3), 200))
        save(masks, f"{k}.png", np.kron([[0, 2], [2, k]], np.ones((4, 4))))
    masked = with_masks(images, masks, ("ground", "hat", "face"), 8, 9)
    assert masked.names == ("ground", "hat", "face") and masked.masks[0, 0, 7] == 2
    assert masked.masks[1, 7, 7] == 1 and len(masked.images) == 2
    assert len(with_masks(images, masks, ("ground", "hat", "face"), 8, 1).images) == 1
    assert with_masks(images, masks, ("ground", "hat", "face"), 4, 9).masks.shape == (2, 4, 4)
    with pytest.raises(UserError, match="a mask has the value 2; parts are 0 to 1"):
        with_masks(images, masks, ("ground", "hat"), 8, 9)
    save(masks, "1.png", np.zeros((8, 8)), "RGB")
    with pytest.raises(UserError, match="has mode RGB"):
        with_masks(images, masks, ("ground", "hat", "face"), 8, 9)
    (masks / "1.png").unlink()
    with pytest.raises(UserError, match=r"lacks the masks of 1 picture: 1\.jpg"):
        with_masks(images, masks, ("ground", "hat", "face"), 8, 9)
    save(masks, "0.png", np.zeros((8, 8)))
    with pytest.raises(UserError, match="all pixels are ground"):
        with_masks(images, masks, ("ground", "hat"), 8, 1)
