"""Networks in words: one line, or a list of facts."""

import dataclasses
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax

from aligned_jax import loading, weights
from aligned_jax.checkpoint import Manifest
from aligned_jax.config import (
    AnyConfig,
    DiscriminatorConfig,
    EncoderConfig,
    GeneratorConfig,
    configs_of,
    kind_of,
    to_dict,
)
from aligned_jax.convert.programs import STYLE, is_program, read_record
from aligned_jax.latents import style_layers
from aligned_jax.loading import NetworkSource, named_network
from aligned_jax.networks import variable_shapes
from aligned_jax.networks.network import Network
from aligned_jax.utils.paths import is_file
from aligned_jax.utils.text import counted

_COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class NetworkInfo:
    """What is known of a source of networks without its arrays.

    Attributes:
      source: what it is called.
      manifest: configs of its networks by key, and their provenance.
      program: what a program takes and draws, as its record says; None for networks.
    """

    source: str
    manifest: Manifest
    program: Mapping[str, Any] | None = None

    def document(self, styles: bool = False) -> dict[str, Any]:
        """Everything, JSON-able; with the table of style layers on request."""
        networks = {}
        for key, config in self.manifest.configs.items():
            facts: dict[str, Any] = {
                "kind": kind_of(config),
                "config": to_dict(config),
                "parameters": parameters(config),
            }
            if isinstance(config, GeneratorConfig):
                facts["num_ws"] = config.num_ws
                if styles:
                    facts["styles"] = [dataclasses.asdict(layer) for layer in style_layers(config)]
            networks[key] = facts
        known = {"networks": networks, "provenance": self.manifest.provenance}
        return known if self.program is None else {**known, "program": dict(self.program)}

    def text(self, styles: bool = False) -> str:
        """The same for people, several lines."""
        lines = [self.source, *_origin(self.manifest.provenance)]
        if self.program is not None:
            lines.append(f"  program     {signature(**self.program)}")
        for key, config in self.manifest.configs.items():
            lines += ["", f"{key}: {headline(config)}"]
            lines += [f"  {name:11} {value}" for name, value in _facts(config).items()]
            if styles and isinstance(config, GeneratorConfig):
                lines += ["", *_styles_table(config)]
        return "\n".join(lines)


def info(network: NetworkSource) -> NetworkInfo:
    """Sizes, options, parameters and origin of the networks of a source.

    Args:
      network: whatever `loading.load` takes, or a loaded generator, or a program that
        `export_program` wrote. A checkpoint's arrays are not read; files are checked as a whole.

    Raises:
      UserError: if there is no such source, or it is damaged.
    """
    if isinstance(network, Network):
        manifest = Manifest({"G_ema": network.config}, network.provenance or {})
        return NetworkInfo(named_network(network)[0], manifest)
    if is_program(network) and is_file(network):
        record = read_record(network)
        manifest = Manifest(configs_of(record["networks"]), record["provenance"])
        return NetworkInfo(os.fspath(network), manifest, record["program"])
    return NetworkInfo(os.fspath(network), loading.describe(network))


def signature(inputs: Mapping[str, Sequence], images: Sequence, **options: Any) -> str:
    """What a program takes and draws: "z [N, 512], psi to images [N, 3, 64, 64]".

    Args:
      inputs: shapes by name, () of a single number.
      images: shape of the result.
      options: that the record tells besides, and these words do not.
    """

    def told(name: str, shape: Sequence) -> str:
        return f"{name} [{', '.join(map(str, shape))}]" if shape else name

    styles = [name for name in inputs if name.startswith(STYLE)]
    said = [f"styles of {counted(len(styles), 'layer')}"] if styles else []
    said += [told(name, shape) for name, shape in inputs.items() if name not in styles]
    return f"{', '.join(said)} to {told('images', images)}"


def headline(config: AnyConfig) -> str:
    """One line, such as "256 px RGB generator, 23,190,000 parameters"."""
    size = f"{config.img_resolution} px {colours(config)}"
    return f"{size} {kind_of(config)}, {sum(parameters(config).values()):,} parameters"


def colours(config: AnyConfig) -> str:
    """Name of the colour space."""
    return _COLOURS.get(config.img_channels, f"{config.img_channels}-channel")


def origin_line(provenance: Mapping[str, Any]) -> str:
    """Where a network comes from, as far as its provenance tells."""
    if "verb" in provenance:
        command = provenance.get("command")
        return f"made by `{command}`" if command else "made by a script"
    names = ("code_base", "format", "file")
    facts = [str(provenance[name]) for name in names if name in provenance]
    if "sha256" in provenance:
        facts.append(f"sha256 {provenance['sha256']}")
    return ", ".join(facts) or "unknown"


def parameters(config: AnyConfig) -> dict[str, int]:
    """Trainable parameters: by component of a generator, by block of another network."""
    if isinstance(config, GeneratorConfig):
        return {name: count for name, count in weights.count(config).items() if count}
    blocks = variable_shapes(config)["params"]
    if isinstance(config, EncoderConfig):
        total: Counter[str] = Counter()
        for name, block in blocks.items():
            total[name.partition(".")[0]] += sum(math.prod(v.shape) for v in jax.tree.leaves(block))
        return dict(total)
    return {
        block: sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(blocks[block]))
        for block in sorted(blocks, key=lambda name: (len(name), name), reverse=True)
    }


def _origin(provenance: Mapping[str, Any]) -> list[str]:
    """Lines on where a network comes from; the provenance may be anybody's."""
    lines = [f"  origin      {origin_line(provenance)}"]
    parents, warnings = provenance.get("parents"), provenance.get("warnings")
    for role, parent in parents.items() if isinstance(parents, dict) else ():
        if isinstance(parent, dict):
            lines.append(f"  {role:11} {parent.get('network')} ({origin_line(parent)})")
    for warning in warnings if isinstance(warnings, list) else ():
        lines.append(f"  warning     {warning}")
    return lines


def _facts(config: AnyConfig) -> dict[str, str]:
    counts = ", ".join(f"{name} {count:,}" for name, count in parameters(config).items())
    if isinstance(config, EncoderConfig):
        rows = f"{config.rows} rows of " if config.has_rows else ""
        return {
            "latents": f"{rows}{config.space} {config.latent_dim}",
            "rows": "differences to the first (e4e)" if config.deltas else "by themselves (pSp)",
            "stages": ", ".join(f"{units} units of {width}" for width, units in config.stages),
            "parameters": counts,
        }
    labels = f"{config.c_dim} classes" if config.c_dim else "no labels"
    if isinstance(config, DiscriminatorConfig):
        end = config.epilogue
        group = end.mbstd_group_size or "the whole batch"
        return {
            "input": f"{config.img_channels} channels, {labels}",
            "channels": _channels(config.channels_by_resolution),
            "blocks": _blocks(config),
            "end": f"{end.mbstd_num_channels} statistics channels over groups of {group}",
            "parameters": counts,
        }
    mapping = config.mapping
    return {
        "input": f"z {config.z_dim}, {labels}",
        "latents": f"w {config.w_dim}, {config.num_ws} rows of W+",
        "mapping": f"{mapping.num_layers} layers, {mapping.activation}, "
        f"learning rate times {mapping.lr_multiplier:g}",
        "channels": _channels(config.channels),
        "blocks": _blocks(config.synthesis) + ("" if config.synthesis.use_noise else ", no noise"),
        "parameters": counts,
    }


def _channels(table: Mapping[int, int]) -> str:
    return ", ".join(f"{width} at {resolution}" for resolution, width in sorted(table.items()))


def _blocks(options: Any) -> str:
    """Options that the synthesis network and the discriminator have in common."""
    facts = [options.architecture, options.activation, f"filter {list(options.resample_filter)}"]
    if options.conv_clamp is not None:
        facts.append(f"clamped at {options.conv_clamp:g}")
    if options.num_fp16_res:
        facts.append(f"{options.num_fp16_res} resolutions may run in half precision")
    return ", ".join(facts)


def _styles_table(config: GeneratorConfig) -> list[str]:
    rows: list[tuple[Any, ...]] = [("index", "layer", "kind", "resolution", "channels", "W+ row")]
    rows += [
        (s.index, s.name, s.kind, s.resolution, s.channels, s.w_row) for s in style_layers(config)
    ]
    return [
        f"  {index:>5}  {name:12}  {kind:5}  {size:>10}  {width:>8}  {row:>6}"
        for index, name, kind, size, width, row in rows
    ]
