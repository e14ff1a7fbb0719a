"""Official files in and out."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aligned_jax import checkpoint, convert, loading, provenance
from aligned_jax.checkpoint import Manifest
from aligned_jax.config import AnyConfig, GeneratorConfig
from aligned_jax.convert.programs import is_program
from aligned_jax.errors import UserError
from aligned_jax.jobs.surgery import check_finite
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command
from aligned_jax.types import Variables
from aligned_jax.viz import check_file

_SCRIPT = Command()


@dataclass(frozen=True, eq=False)
class ConvertedFile:
    """The networks of an official file, whose arrays are read when they are written.

    Attributes:
      official: networks by key (G_ema, G, D, E), and what is known of the file.
    """

    official: convert.Official

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the networks come from, JSON-able."""
        return {"kind": "converted", **self.official.source}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader of the file found odd, a sentence each."""
        return tuple(self.official.source.get("warnings", ()))

    @property
    def config(self) -> AnyConfig:
        """Sizes of G_ema, or of the first network of a file without it."""
        networks = self.official.networks
        return (networks.get("G_ema") or next(iter(networks.values()))).config

    def write(
        self, out: str | os.PathLike[str], command: Command = _SCRIPT, overwrite: bool = False
    ) -> None:
        """Writes a checkpoint, with one network in memory at a time.

        Raises:
          UserError: if the checkpoint cannot be written.
        """
        made = provenance.record(command)
        networks = {
            key: (network.config, network.variables)
            for key, network in self.official.networks.items()
        }
        checkpoint.write(out, networks, {**self.provenance, **made}, overwrite)


def convert_file(source: str | os.PathLike[str]) -> ConvertedFile:
    """Reads an official .pkl, .pt or .safetensors file, running nothing from it.

    Args:
      source: the file, on a disk or in a bucket, or `hf://owner/name[/file][@revision]`.

    Raises:
      UserError: naming all that is wrong with the file.
    """
    return ConvertedFile(loading.read_official(source))


@dataclass(frozen=True)
class Exported:
    """What `export_networks` wrote.

    Attributes:
      keys: of the networks.
      notes: what the user of the file should know: how the community port makes such a
        network, and what it leaves out. Empty for .safetensors.
    """

    keys: tuple[str, ...]
    notes: tuple[str, ...] = ()


def export(
    network: NetworkSource,
    out: str | os.PathLike[str],
    keys: Sequence[str] | None = ("G_ema",),
    *,
    half: bool = False,
    command: Command = _SCRIPT,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Writes networks as .safetensors, or as .pt in the layout of the community port.

    One network at a time is in memory, except for a .pt, which is written from memory.

    Args:
      network: the source, by name, or a loaded generator, which is its G_ema.
      out: the file. NAME.safetensors has the official names and layouts. NAME.pt is what
        rosinality/stylegan2-pytorch writes (g_ema, g, d, latent_avg), and what pSp, e4e,
        StyleCLIP and GANSpace start from; the port has skip generators and residual
        discriminators without labels only.
      keys: networks of the source: G_ema, G, D, E; None takes all.
      half: stores float16, about three digits, instead of the very same numbers.
      command: recorded as what made the file.
      overwrite: replaces a file that is there.

    Returns:
      the keys of the networks that were written.

    Raises:
      UserError: for another ending of the file's name, networks that the source lacks or that
        hold numbers that are not finite, networks that the port does not have, or a file
        that cannot be written.
    """
    return export_networks(network, out, keys, half=half, command=command, overwrite=overwrite).keys


def export_networks(
    network: NetworkSource,
    out: str | os.PathLike[str],
    keys: Sequence[str] | None = ("G_ema",),
    *,
    half: bool = False,
    command: Command = _SCRIPT,
    overwrite: bool = False,
) -> Exported:
    """`export`, with what there is to say about the file."""
    check_export(out, overwrite)
    name, manifest = described(network)
    keys = tuple(manifest.configs if keys is None else keys)
    if missing := [key for key in keys if key not in manifest.configs]:
        raise UserError(
            f"{name} has no network {', '.join(map(repr, missing))}; "
            f"it has {', '.join(manifest.configs)}"
        )

    def variables(key: str) -> Variables:
        loaded = network if isinstance(network, Network) else loading.load(network, key)
        check_finite(key, loaded.variables)
        return loaded.variables

    # Functions, so that one network after the other is in memory.
    trees = {key: (manifest.configs[key], lambda key=key: variables(key)) for key in keys}
    origin = export_origin(command, name, manifest)
    if os.fspath(out).endswith(".pt"):
        convert.write_port(out, trees, origin, half, overwrite)
        generators = [config for config, _ in trees.values() if isinstance(config, GeneratorConfig)]
        return Exported(keys, tuple(convert.port_usage(generators[0])) if generators else ())
    if "E" in keys and "generator" in manifest.provenance:
        origin["generator"] = manifest.provenance["generator"]  # whose encoder it is
    convert.write_safetensors(out, trees, origin, half, overwrite)
    return Exported(keys)


def export_origin(command: Command, name: str, manifest: Manifest) -> dict[str, Any]:
    """Provenance of an exported network: the command, and where the network comes from.

    Args:
      command: that exports it.
      name: of the source.
      manifest: of the source.
    """
    origin = provenance.origin(command, {"network": (name, manifest)})
    origin["verb"] = origin["verb"] or "export"  # the same network, whoever exports it
    if before := provenance.forebears(manifest.provenance):
        origin["parents"]["network"]["parents"] = before
    if "cautions" in manifest.provenance:
        origin["cautions"] = manifest.provenance["cautions"]
    return origin


def check_export(out: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raises UserError unless `out` names a .safetensors or .pt file that may be written."""
    if not os.fspath(out).endswith((".safetensors", ".pt")):
        hint = "; jobs.export_program writes programs" if is_program(out) else ""
        raise UserError(f"{os.fspath(out)}: give a name that ends in .safetensors or .pt{hint}")
    check_file(out, overwrite)


def described(network: NetworkSource) -> tuple[str, Manifest]:
    """What a source is called, and its configs and provenance."""
    if isinstance(network, Network):
        configs: Mapping[str, AnyConfig] = {"G_ema": network.config}
        return named_network(network)[0], Manifest(dict(configs), network.provenance or {})
    return os.fspath(network), loading.describe(network)
