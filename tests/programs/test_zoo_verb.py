"""`aligned zoo`: what comes with the package."""

from aligned_jax import jobs
from aligned_jax.loading import zoo_names
from aligned_jax.utils.paths import zoo_folder


def test_everything_is_listed_once_with_kind_and_size(ok):
    lines = ok("zoo").splitlines()
    kinds = dict(line.removeprefix("zoo:").split()[:2] for line in lines[:-1])
    assert set(kinds) == {card.parent.name for card in zoo_folder().glob("*/card.md")}
    for name, kind in kinds.items():
        drawn = name in zoo_names()
        assert (kind in ("network", "encoder")) == drawn
        assert (kind == "encoder") == (drawn and name.endswith(("-e4e", "-z")))
        assert (kind == "reader") == name.endswith("-reader")
        assert (kind == "CLIP") == name.endswith("-clip")
    assert lines[-1].startswith(f"{len(kinds)} in all, ")


def test_the_page_shows_pictures_and_flaws(ok, refused, tmp_path):
    page = tmp_path / "zoo.html"
    ok("zoo", "--out", page)
    text = page.read_text("utf-8")
    members = jobs.zoo_list().members
    assert text.count("<img") == sum(one.picture is not None for one in members) >= 10
    assert all(one.says.split(",")[0] in text for one in members)
    told = [one for one in members if one.flaws]
    assert len(told) >= 10 and not any(one.flaws.startswith(("|", "!")) for one in told)
    assert "already exists" in refused("zoo", "--out", page)
    assert "written to NAME.html" in refused("zoo", "--out", tmp_path / "zoo.png")


def test_own_files_are_no_strangers(ok):
    """They were stored in half precision on purpose."""
    assert "warning" not in ok("info", "zoo:personas64")
