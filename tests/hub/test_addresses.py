"""How addresses on the Hub are read, and what is said of other addresses."""

import sys

import pytest

import aligned_jax as aj
from aligned_jax.errors import UserError
from aligned_jax.hub import HubAddress, check_source, fetch
from aligned_jax.jobs.conversion import convert_file
from aligned_jax.loading import label_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "text, parts",
    [
        ("hf://me/faces", ("me/faces", None, None)),
        ("hf://me/faces/ffhq.pkl", ("me/faces", "ffhq.pkl", None)),
        ("hf://me/faces/old/ffhq.pkl@v1.0", ("me/faces", "old/ffhq.pkl", "v1.0")),
        ("hf://a-b/c_d.e@refs/pr/3", ("a-b/c_d.e", None, "refs/pr/3")),
        (f"hf://me/faces@{COMMIT}", ("me/faces", None, COMMIT)),
    ],
)
def test_an_address_has_three_parts(text, parts):
    address = HubAddress.parse(text)
    assert (address.repository, address.file, address.revision) == parts
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        *("hf://", "hf://me", "hf://me/", "hf:///faces", "hf://me/faces/", "hf://me/faces@"),
        *("hf://me/..", "hf://me/faces/../x.pkl", "hf://me/faces//x.pkl", "hf://me/faces/a\\b.pkl"),
        *("hf://me/faces@a b", "hf://me/faces@../x", "hf://datasets/me/faces", "hf://m e/faces"),
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UserError, match="hf://owner/name"):
        HubAddress.parse(text)


@pytest.mark.parametrize(
    "text, name",
    [
        ("hf://me/faces", "faces"),
        ("hf://me/faces/network.safetensors", "faces"),
        ("hf://me/faces/old/ffhq.pkl@v1", "ffhq"),
    ],
)
def test_rows_are_called_by_short_names(text, name):
    assert label_of(text) == name


@pytest.mark.parametrize(
    "source, way",
    [
        ("https://example.org/ffhq.pkl", "download the file first"),
        ("http://example.org/ffhq.pkl", "download the file first"),
        ("ftp://example.org/ffhq.pkl", "download the file first"),
        ("https:/example.org/ffhq.pkl", "download the file first"),
        ("hf:/me/faces", "give the name as text, with two slashes"),
        ("git@github.com:me/faces", "download the file first"),
        ("https://huggingface.co/me/faces", "give hf://me/faces"),
        ("https://huggingface.co/me/faces/", "give hf://me/faces"),
        ("https://hf.co/me/faces/blob/main/old/f.pkl?x=1", "give hf://me/faces/old/f.pkl"),
        ("https://huggingface.co/me/faces/resolve/v1/f.pkl", "give hf://me/faces/f.pkl@v1"),
    ],
)
@pytest.mark.parametrize("load", [aj.load, aj.loading.describe, convert_file])
def test_other_addresses_are_refused_as_they_were_typed(source, way, load):
    with pytest.raises(UserError) as caught:
        load(source)
    assert str(caught.value).startswith(f"{source}: ")
    assert str(caught.value).endswith(way) or f"{way} and" in str(caught.value)


@pytest.mark.parametrize("source", ["runs/x@80", "C:\\runs\\x", "a:b", "x.pkl", "zoo:personas64"])
def test_names_of_files_are_no_addresses(source):
    check_source(source)


def test_a_file_may_be_called_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "me@host:file"
    with pytest.raises(UserError, match="are not read from such an address"):
        check_source(name)
    (tmp_path / name).touch()
    check_source(name)


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError) as caught:
        fetch(HubAddress("me/faces"))
    assert str(caught.value).endswith("pip install 'aligned_jax[hub]'")
