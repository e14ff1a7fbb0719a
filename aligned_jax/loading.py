"""Load anything: checkpoint folders, runs, official files, the zoo, the Hugging Face Hub.

A delta file, which `aligned invert --tune` writes, names its base network, and stands for that
network with the delta added. `BASE+DELTA` says where the base lies if it was moved.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import jax
import jax.numpy as jnp

from aligned_jax import checkpoint, convert, hub, provenance
from aligned_jax.config import ENCODER, AnyConfig, GeneratorConfig, kind_of
from aligned_jax.errors import CheckpointError, FormatError, UserError
from aligned_jax.networks import fingerprint, variable_shapes
from aligned_jax.networks.encoder_network import AnyNetwork, EncoderNetwork
from aligned_jax.networks.network import DiscriminatorNetwork, Network
from aligned_jax.types import Variables
from aligned_jax.utils import checksums, paths
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed

_CLASSES = {
    "generator": Network,
    "discriminator": DiscriminatorNetwork,
    "encoder": EncoderNetwork,
}
_LONE_KEYS = {Network: "G_ema", DiscriminatorNetwork: "D", EncoderNetwork: ENCODER}

# A name of a network, or a network in memory.
NetworkSource = str | os.PathLike[str] | Network

# How long a chain of tuned networks of tuned networks may be.
_DEEPEST = 8

# What a folder of the zoo holds besides its card and pictures: float16, official names.
ZOO_FILE = "network.safetensors"


@overload
def load(
    source: str | os.PathLike, key: Literal["G_ema", "G"] = "G_ema", report: Reporter = QUIET
) -> Network: ...
@overload
def load(
    source: str | os.PathLike, key: Literal["D"], report: Reporter = QUIET
) -> DiscriminatorNetwork: ...
@overload
def load(
    source: str | os.PathLike, key: Literal["E"], report: Reporter = QUIET
) -> EncoderNetwork: ...
@overload
def load(source: str | os.PathLike, key: str, report: Reporter = QUIET) -> AnyNetwork: ...
def load(source: str | os.PathLike, key: str = "G_ema", report: Reporter = QUIET) -> AnyNetwork:
    """The network that `source` names.

    Args:
      source: a checkpoint folder, a run folder (its latest), `RUN@KIMG`, an
        official .pkl, .pt or .safetensors file (converted in memory, running
        nothing from it), `zoo:NAME`, or `hf://owner/name[/file][@revision]` of the
        Hugging Face Hub (extra `hub`). A delta file stands for its base with the delta added;
        `BASE+DELTA` says where the base is now.
      key: "G_ema", "G", "D" or "E", an encoder.
      report: hears a warning if the network cannot draw what it was trained for, because its
        file is incomplete.

    Raises:
      UserError: saying what was found and what would work.
    """
    manifest, read = _open(source)
    if key not in manifest.configs:
        present = ", ".join(manifest.configs)
        raise CheckpointError(f"{source} has no network {key!r}; it has {present}")
    _warn(source, [key], manifest, report)
    return _network(source, key, manifest, read(key))


def named_network(
    source: NetworkSource, key: str = "G_ema", report: Reporter = QUIET
) -> tuple[str, Network]:
    """A generator, and how results and messages call it.

    Args:
      source: whatever `load` takes, or a network, which is called after the file that it
        was made of.
      key: "G_ema" or "G"; a loaded network has none.
      report: as of `load`.

    Raises:
      UserError: as `load`.
    """
    if isinstance(source, Network):
        return (source.provenance or {}).get("file") or "a network in memory", source
    network = load(source, key, report)
    if not isinstance(network, Network):
        raise UserError(f"{source}: {key} is no generator; give G_ema or G")
    return os.fspath(source), network


def label_of(source: str) -> str:
    """A short name of a NETWORK: "critters64" of "zoo:critters64" or "runs/critters64"."""
    source = _parts_of(source)[1]
    if hub.is_hub(source):
        return hub.HubAddress.parse(source).name
    short = re.split(r"[/:\\]", source.rstrip("/"))[-1]
    return re.sub(r"\.(pkl|pt|safetensors)$", "", short) or source


def load_encoder(source: str | os.PathLike, generator: Network) -> EncoderNetwork:
    """The encoder that `source` names, for this generator.

    Raises:
      UserError: as `load`, or if it belongs to another generator.
    """
    encoder = load(source, ENCODER)
    encoder.check_generator(generator)
    return encoder


def load_all(source: str | os.PathLike, report: Reporter = QUIET) -> dict[str, AnyNetwork]:
    """Every network of `source` by key; arguments and errors as for `load`."""
    manifest, read = _open(source)
    _warn(source, list(manifest.configs), manifest, report)
    return {key: _network(source, key, manifest, read(key)) for key in manifest.configs}


def describe(source: str | os.PathLike) -> checkpoint.Manifest:
    """Configs and provenance of `source`; a checkpoint's arrays are not read."""
    return _open(source)[0]


def save(
    folder: str | os.PathLike,
    networks: AnyNetwork | Mapping[str, AnyNetwork],
    provenance: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Writes a checkpoint, atomically; a lone network is stored as G_ema, D or E by its kind.

    A name that ends in .safetensors gets one file with the official names of tensors instead.

    Raises:
      CheckpointError: as `checkpoint.write`, or if the file exists.
      FormatError: as `convert.write_safetensors`.
    """
    if isinstance(networks, AnyNetwork):
        networks = {_LONE_KEYS[type(networks)]: networks}
    trees = {key: (network.config, network.variables) for key, network in networks.items()}
    if os.fspath(folder).endswith(".safetensors"):
        if not overwrite and paths.exists(folder):
            raise CheckpointError(
                f"{os.fspath(folder)} already exists; choose another name or pass `overwrite=True`"
            )
        convert.write_safetensors(folder, trees, provenance, overwrite=overwrite)
    else:
        checkpoint.write(folder, trees, provenance, overwrite)


def zoo_names() -> list[str]:
    """Names of the networks that come with the package."""
    return paths.zoo_members(ZOO_FILE)


def read_official(source: str | os.PathLike) -> convert.Official:
    """The networks of an official file on a disk, in a bucket, in the zoo or on the Hub.

    Raises:
      UserError: as `convert.read_official`, or if there is no such file.
    """
    path, named = _file_of(os.fspath(source))
    with _on_disk(path) as file:
        return _official(file, named)


def lasting_name(source: str | os.PathLike) -> str:
    """The name of a source under which the same network is found later.

    An address on the Hub gets the file and the commit that it stands for now.

    Raises:
      UserError: as `hub.fetch`.
    """
    text = os.fspath(source)
    base, text = _parts_of(text)
    if base is not None:
        return f"{lasting_name(base)}+{lasting_name(text)}"
    hub.check_source(text)
    return str(hub.fetch(hub.HubAddress.parse(text)).pinned) if hub.is_hub(text) else text


def pinned_name(source: str | os.PathLike) -> str:
    """As `lasting_name`, with places from the root on, and of a run its checkpoint.

    Raises:
      UserError: if there is no such source.
    """
    base, text = _parts_of(os.fspath(source))
    if base is not None:
        return f"{pinned_name(base)}+{pinned_name(text)}"
    if text.startswith("zoo:") or hub.is_hub(text):
        return lasting_name(text)
    return str(paths.absolute(text if paths.is_file(text) else checkpoint.find(text)))


def _open(
    source: str | os.PathLike, deepest: int = _DEEPEST
) -> tuple[checkpoint.Manifest, Callable[[str], Variables]]:
    """Manifest of a source and a function from key to variables."""
    base, text = _parts_of(os.fspath(source))
    hub.check_source(text)
    if text.startswith(("zoo:", hub.SCHEME)) or paths.is_file(text):
        path, named = _file_of(text)
        with _on_disk(path) as file:
            if (delta := convert.read_delta(file)) is not None:
                told = {"file": text, "sha256": checksums.of_file(file)}
                return _tuned(text, base, delta, told, deepest)
            if base is not None:
                raise FormatError(f"{text} is no delta, so that nothing can be added to {base}")
            official = _official(file, named)
        configs = {key: network.config for key, network in official.networks.items()}
        manifest = checkpoint.Manifest(configs, {"kind": "converted", **official.source})
        return manifest, lambda key: official.networks[key].variables()
    folder = checkpoint.find(text)
    manifest = checkpoint.read_manifest(folder)

    def read(key: str) -> Variables:
        return checkpoint.read(folder, key, expected=variable_shapes(manifest.configs[key]))

    return manifest, read


def _official(file: str, named: Mapping[str, str]) -> convert.Official:
    """The networks of an official file on this machine; `named` goes into their origin."""
    official = convert.read_official(file)
    return convert.Official(official.networks, {**official.source, **named})


def _tuned(
    text: str, given: str | None, delta: convert.Delta, told: dict[str, str], deepest: int
) -> tuple[checkpoint.Manifest, Callable[[str], Variables]]:
    """As `_open`, of a delta and its base, which is `given` or the one that the delta names."""
    name, key = given or delta.base.network, delta.base.key
    if not deepest:
        raise FormatError(f"{text}: more than {_DEEPEST} deltas of deltas; one may be its own base")
    try:
        base, read = _open(name, deepest - 1)
    except UserError as error:
        way = "" if given else f"; where it lies now is said so: BASE+{text}"
        raise CheckpointError(f"{text} needs its base {name}: {error}{way}") from None
    config = base.configs.get(key)
    if not isinstance(config, GeneratorConfig):
        raise CheckpointError(f"{text} belongs to the network {key} of its base; {name} has none")

    def read_tuned(_: str) -> Variables:
        variables = read(key)
        if (found := fingerprint(variables)) != delta.base.sha256:
            raise CheckpointError(
                f"{text} belongs to {delta.base.network} (fingerprint {delta.base.sha256[:12]}), "
                f"and {name} is another network ({found[:12]}); give BASE+{text} with that one, or "
                "see `aligned arithmetic` for sums of networks"
            )
        try:
            convert.check_delta(config, delta)
        except UserError as error:
            raise FormatError(f"{text}: {error}") from None
        return convert.added(config, variables, delta)

    parent = {"network": name, **provenance.summary(base.provenance)}
    facts: dict[str, Any] = {**delta.facts, "kind": "tuned", **told, "parents": {"network": parent}}
    facts |= {name: base.provenance[name] for name in ("cautions",) if name in base.provenance}
    facts["tuned_from"] = delta.base.sha256
    return checkpoint.Manifest({"G_ema": config}, facts), read_tuned


def _parts_of(text: str) -> tuple[str | None, str]:
    """BASE and DELTA of "BASE+DELTA.safetensors"; None and the text of any other name."""
    if "+" not in text or paths.exists(text):
        return None, text
    for place in (place for place, letter in enumerate(text) if letter == "+"):
        base, file = text[:place], text[place + 1 :]
        if base and file.endswith(".safetensors") and (hub.is_hub(file) or paths.is_file(file)):
            return base, file
    return None, text


@contextlib.contextmanager
def _on_disk(path: str) -> Iterator[str]:
    """The file itself, or a copy of one in a bucket."""
    if not paths.is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / paths.as_path(path).name
        copy.write_bytes(paths.as_path(path).read_bytes())
        yield str(copy)


def _warn(
    source: Any, keys: Sequence[str], manifest: checkpoint.Manifest, report: Reporter
) -> None:
    """Tells the cautions that a converted file came with, of the networks that are loaded."""
    cautions = manifest.provenance.get("cautions")
    for caution in cautions if isinstance(cautions, list) else ():
        if str(caution).partition(":")[0] in keys:
            report.warn(f"{source}: {caution}")


def _file_of(text: str) -> tuple[str, dict[str, str]]:
    """Where an official file lies, and what its provenance says instead of the file's name."""
    hub.check_source(text)
    if text.startswith("zoo:"):
        # Files of the zoo all have the same name.
        return _zoo_path(text.removeprefix("zoo:")), {"file": text}
    if hub.is_hub(text):
        found = hub.fetch(hub.HubAddress.parse(text))
        plain = found.address.at(str(found.address.file), None)
        return str(found.path), {"file": str(plain), "commit": found.commit}
    return text, {}


def _zoo_path(name: str) -> str:
    names = zoo_names()
    if name not in names:
        raise CheckpointError(
            f"there is no zoo:{name}; the zoo has {', '.join(names) or 'no networks yet'}"
        )
    return str(paths.zoo_folder() / name / ZOO_FILE)


def _network(source: Any, key: str, manifest: checkpoint.Manifest, tree: Variables) -> AnyNetwork:
    config = manifest.configs[key]
    _check_tree(f"{source}, {key}", config, tree)
    return _CLASSES[kind_of(config)](config, jax.tree.map(jnp.asarray, tree), manifest.provenance)


def _check_tree(where: str, config: AnyConfig, tree: Variables) -> None:
    """Refuses variables that are not those of the config, naming every difference."""
    if wrong := checkpoint.misfits(variable_shapes(config), tree):
        raise CheckpointError(
            f"{where}: the arrays do not fit the recorded sizes: {listed(wrong, separator='; ')}"
        )
