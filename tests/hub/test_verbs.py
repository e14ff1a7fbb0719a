"""Verbs take networks of the Hub, and refuse other addresses as they were typed."""

import re

import pytest

from aligned_jax.tools.main import VERBS, main
from aligned_jax.utils.paths import zoo_folder
from tests.helpers import DATA

HERE = str(DATA / "hostile_baseline_ok.pkl")
PICTURE = str(zoo_folder() / "personas64" / "samples.png")
# N is the network that is somewhere else.
LINES = [
    "convert N {out}",
    "export N {out}.safetensors",
    "publish N hf://me/x --license other --dry-run",
    "info N",
    "generate N --seeds 0 --out {out}.png",
    "compare N {here} --out {out}",
    "compare {here} N --out {out}",
    "reset {here} N --components mapping --out {out}",
    "interpolate {here} N --weight 0.5 --out {out}",
    "swap N {here} --resolution 4 --out {out}",
    "arithmetic a+b a={here} b=N --out {out}",
    "resize N --resolution 16 --out {out}",
    "family {here} N --out {out}.png",
    "directions find N --judge zoo:people-reader --attribute glasses --out {out}",
    "directions pca N --out {out}",
    "directions sefa N --out {out}",
    "directions text N --target a --neutral b --out {out}.npz",
    "directions show zoo: --network N",
    "alignment {here} N --out {out}",
    "channels N --out {out}",
    "related {here} N",
    "edit {here} N --channel 1_1 --out {out}.png",
    "label N --name x --yes 0-9 --no 10-19 --out {out}.json",
    "invert N {here} --out {out}",
    "translate {here} N --seeds 0 --out {out}.png",
    "zero-shot classify {here} N {picture} --judge zoo:people-reader --out {out}.html",
    "morph {here} N 0 1 --out {out}.webp",
    "walk N --seeds 0-1 --out {out}.webp",
    "mix N --rows 0 --columns 1 --out {out}.png",
    "evaluate N --metrics ppl",
    "nearest N --data {here} --out {out}.png",
    "data pairs {here} N --count 2 --out {out}",
    "transition N --out {out}.png",
    "figures --parent N --only 1 --out {out}",
    "view N",
    "finetune N --data {here} --run {out}",
    "encoder N --data {here} --run {out}",
    "attributes read zoo:people-reader N --seeds 0",
    "resume N",
]
# These import little besides what others do.
QUICK = (
    *("convert", "export", "info", "generate", "reset", "family", "edit", "translate", "evaluate"),
    *("transition", "finetune", "attributes", "resume"),
)
# Those that take no network by name, or no network but the zoo's.
WITHOUT = {"demo", "zoo", "features", "perceptual", "pretrain"}


def test_every_verb_is_tried():
    assert {line.split()[0] for line in LINES} | WITHOUT == set(VERBS)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(
            line,
            id=line.split(" --")[0],
            marks=[] if line.startswith(QUICK) else [pytest.mark.slow],
        )
        for line in LINES
    ],
)
def test_other_addresses_are_refused_as_they_were_typed(line, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = "https://example.org/ffhq.pkl"
    words = [re.sub(r"^(b=)?N$", rf"\g<1>{url}", word) for word in line.split()]
    code = main([word.format(here=HERE, picture=PICTURE, out="out") for word in words])
    said = capsys.readouterr()
    assert code == 2, said
    assert f"{url}: networks are not read from such an address; download the file" in said.err
    assert said.err.count("\n") == 1 and not list(tmp_path.iterdir())
