"""One bit of a checkpoint, an export or a dataset is flipped: noticed, or without effect."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aligned_jax import checkpoint
from aligned_jax.config import GeneratorConfig, SynthesisConfig, to_dict
from aligned_jax.convert import read_official, write_safetensors
from aligned_jax.data import DataOptions, images, open_dataset
from aligned_jax.data.writer import write_dataset
from aligned_jax.errors import UserError
from tests.checkpoint.test_checkpoint import tree
from tests.convert.test_safetensors_file import tree as network_tree
from tests.fuzz.dataset_readers import picture
from tests.helpers import same_bits

# Orbax leaves coroutines behind when its files are damaged.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SMALL = GeneratorConfig(8, z_dim=4, w_dim=4, synthesis=SynthesisConfig(32, 4))


def write_checkpoint(folder: Path) -> None:
    networks = {"G_ema": (SMALL, tree(0)), "G": (SMALL, tree(1))}
    checkpoint.write(folder / "net", networks, {"kind": "test", "images": 12345})


def read_checkpoint(folder: Path) -> Any:
    manifest = checkpoint.read_manifest(folder / "net")
    described = {key: to_dict(config) for key, config in manifest.configs.items()}
    arrays = {key: checkpoint.read(folder / "net", key) for key in ("G_ema", "G")}
    return {"described": repr((described, manifest.provenance)), "arrays": arrays}


def write_export(folder: Path) -> None:
    write_safetensors(folder / "net.safetensors", {"G_ema": network_tree(SMALL)}, {"images": 12345})


def read_export(folder: Path) -> Any:
    official = read_official(folder / "net.safetensors")
    network = official.networks["G_ema"]
    described = repr((to_dict(network.config), official.source.get("provenance")))
    return {"described": described, "arrays": network.variables()}


def write_data(folder: Path) -> None:
    for name in ("a/0.png", "b/1.png"):
        (folder / "source" / name).parent.mkdir(parents=True)
        (folder / "source" / name).write_bytes(picture("PNG"))
    write_dataset(images.scan(folder / "source", 8), folder / "data", workers=1)


def read_data(folder: Path) -> Any:
    data = open_dataset(DataOptions(str(folder / "data"), labels="label"))
    described = (data.label_names, data.recipe, [data.attributes(i) for i in range(len(data))])
    return {"described": repr(described), "arrays": [data[i] for i in range(len(data))]}


# What is written, under which name, and how all that it holds is read.
KINDS: dict[str, tuple[Callable[[Path], None], str, Callable[[Path], Any]]] = {
    "checkpoint": (write_checkpoint, "net", read_checkpoint),
    "export": (write_export, "net.safetensors", read_export),
    "dataset": (write_data, "data", read_data),
}


def flip(kind: str, count: int, folder: Path) -> Counter[str]:
    """Tries so many flips; how many of each file changed nothing, and "noticed" for the others."""
    write, name, read = KINDS[kind]
    write(folder)
    whole = [folder / name] if (folder / name).is_file() else sorted((folder / name).rglob("*"))
    files = [path for path in whole if path.is_file() and path.stat().st_size]
    sizes = np.array([path.stat().st_size for path in files])
    before, outcome = read(folder), Counter[str]()
    rng = np.random.default_rng(0)
    for number in range(count):
        # Half of them by size, half in every file alike, since the small ones describe the others.
        weights = sizes / sizes.sum() if number % 2 else None
        path = files[rng.choice(len(files), p=weights)]
        content = path.read_bytes()
        changed = bytearray(content)
        changed[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        try:
            after = read(folder)
        except UserError:
            outcome["noticed"] += 1
            continue
        finally:
            path.write_bytes(content)
        assert after["described"] == before["described"], path
        assert same_bits(after["arrays"], before["arrays"]), path
        outcome[path.relative_to(folder).as_posix()] += 1
    return outcome


@pytest.mark.parametrize("kind", KINDS)
def test_some_flips(kind, tmp_path):
    assert flip(kind, 15, tmp_path)["noticed"] > 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_flips(kind, tmp_path):
    outcome = flip(kind, 400, tmp_path)
    print(kind, dict(outcome))
    assert outcome["noticed"] > 100
