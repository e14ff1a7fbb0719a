"""The card of a published network: README.md with front matter that the Hub reads."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aligned_jax.checkpoint import Manifest
from aligned_jax.config import GeneratorConfig
from aligned_jax.hub import HubAddress, is_hub
from aligned_jax.jobs.describe import headline
from aligned_jax.provenance import forebears, given_to, made_by, summary
from aligned_jax.utils.text import one_line

NETWORK_FILE, CARD_FILE, PICTURE_FILE = "network.safetensors", "README.md", "samples.png"
_TAGS = ("stylegan2", "aligned_jax", "jax")
_TASK = "unconditional-image-generation"
_LONGEST = 1000  # characters of a recorded command
_MERGING = ("interpolate", "swap", "arithmetic")


@dataclass(frozen=True)
class HubCard:
    """What the card of a published network says.

    Attributes:
      address: where the network will be.
      manifest: configs of the networks that are published, by key, and their provenance.
      source: what the network is called here.
      license: an identifier of the Hub, such as "cc0-1.0".
      tags: besides those that all have.
      parent: what it is a child of, by name, if that was said.
      pictures: what they show, in a sentence; empty if there are none.
      hashes: SHA-256 of the files, by name.
      data: what is known of the data besides the commands, "name" and "fingerprint".
    """

    address: HubAddress
    manifest: Manifest
    source: str
    license: str
    tags: Sequence[str] = ()
    parent: str | None = None
    pictures: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """All of README.md."""
        name = self.address.name
        parts = [self._front_matter(), f"# {name}", self._summary()]
        if self.pictures:
            parts.append(
                f"![{self.pictures}]({PICTURE_FILE})\n\n{self.pictures} Nobody chose them."
            )
        parts += ["## How to use it", self._usage(), "## Where it comes from", self._origin()]
        return "\n\n".join(parts) + "\n"

    def base_models(self) -> list[str]:
        """Repositories of the Hub that the network was made from, as `base_model` names them."""
        recorded = [str(entry["network"]) for entry in self._parents().values()]
        named = [self.parent] if self.parent is not None else recorded
        found = [HubAddress.parse(one).repository for one in named if is_hub(one)]
        return list(dict.fromkeys(found))

    def _parents(self) -> dict[str, Any]:
        """By role, what the network itself was made from."""
        known = self.manifest.provenance
        found = forebears(known)
        # An export is the same network in another file.
        inner = known.get("provenance")
        if isinstance(inner, Mapping) and inner.get("verb") in ("export", "publish"):
            return dict(found.get("network", {}).get("parents", {}))
        return found

    def _front_matter(self) -> str:
        """YAML, in which every value is written as JSON, which is YAML as well."""
        lines = [f"license: {json.dumps(self.license)}", "library_name: aligned_jax"]
        if any(isinstance(one, GeneratorConfig) for one in self.manifest.configs.values()):
            lines.append(f"pipeline_tag: {_TASK}")
        tags = list(dict.fromkeys([*_TAGS, *self.tags]))
        lines += ["tags:", *(f"- {json.dumps(tag)}" for tag in tags)]
        if bases := self.base_models():
            lines += ["base_model:", *(f"- {json.dumps(base)}" for base in bases)]
            merged = self.manifest.provenance.get("verb") in _MERGING and len(bases) > 1
            lines.append(f"base_model_relation: {'merge' if merged else 'finetune'}")
        return "\n".join(["---", *lines, "---"])

    def _summary(self) -> str:
        rows = [f"| `{key}` | {headline(one)} |" for key, one in self.manifest.configs.items()]
        return "\n".join(
            [
                f"A StyleGAN2 network, published by aligned_jax. `{self._file}` has the official "
                "names and layouts of tensors.",
                "",
                "| | |",
                "| --- | --- |",
                *rows,
                *(f"| SHA-256 of {name} | `{digest}` |" for name, digest in self.hashes.items()),
            ]
        )

    @property
    def _file(self) -> str:
        return self.address.file or NETWORK_FILE

    def _usage(self) -> str:
        address, parent = str(self.address), self.parent
        lines = ["pip install 'aligned_jax[hub]'"]
        keys = list(self.manifest.configs)
        if "G_ema" in keys:
            lines.append(f"aligned generate {address} --seeds 0-15 --psi 0.7 --out images.png")
            if parent is not None:
                lines.append(f"aligned family {parent} {address} --seeds 0-7 --out family.png")
        else:
            lines.append(f"aligned info {address}")
        shell = "\n".join(["```sh", *lines, "```"])
        key = "" if keys[0] == "G_ema" else f", {keys[0]!r}"
        python = f'import aligned_jax as aj\n\nnetwork = aj.load("{address}"{key})'
        blocks = [shell, f"```python\n{python}\n```"]
        if len(keys) == 1 and keys[0] != "E":
            blocks.append(
                "In PyTorch, with NVIDIA's code at hand and the network made with the sizes above:"
                "\n\n```python\n"
                f'network.load_state_dict(safetensors.torch.load_file("{self._file}"))\n```'
            )
        return "\n\n".join(blocks)

    def _origin(self) -> str:
        """The family tree as nested lists, the network on top."""
        known = self.manifest.provenance
        facts = dict(summary(known))
        inner = forebears(known).get("network", {}) if "provenance" in known else {}
        for name in ("verb", "command", "images"):  # of the run, if this is an export of it
            if name in inner:
                facts[name] = inner[name]
        lines = _tree(self.source, facts, self._parents(), 0)
        if self.parent is not None and not any(_code(self.parent) in line for line in lines):
            lines.append(f"- Said to be a child of {_code(self.parent)}.")
        for what, value in self.data.items():
            lines.append(f"- {what}: {_code(value)}")
        return "\n".join([*lines, "", f"Written by {made_by()}."])


def _tree(name: str, facts: Mapping[str, Any], parents: Mapping[str, Any], depth: int) -> list[str]:
    """A line for a network, and those of what it was made from, one step further right."""
    lines = [f"{'  ' * depth}- {'; '.join([_code(name), *_facts(facts)])}"]
    for role, parent in parents.items():
        below = _tree(parent["network"], parent, parent.get("parents", {}), depth + 1)
        if role != "network":
            called = role if re.fullmatch(r"\w{1,40}", role) else _code(role)
            below[0] = below[0].replace("- ", f"- {called}: ", 1)
        lines += below
    return lines


def _facts(facts: Mapping[str, Any]) -> list[str]:
    command, said = facts.get("command"), []
    if isinstance(command, str) and command:
        said.append(f"made by {_code(command)}")
    images = facts.get("images")
    kimg = f"{images / 1000:g}" if isinstance(images, int) else given_to(command, "--kimg")
    said += [f"{kimg} kimg"] if kimg and re.fullmatch(r"[\d.e+]{1,20}", kimg) else []
    if data := given_to(command, "--data"):
        said.append(f"trained on {_code(data)}")
    said += [f"{name} {_code(facts[name])}" for name in ("sha256", "commit") if facts.get(name)]
    return said


def _code(text: Any) -> str:
    """Text of any origin as code, which no markdown and no HTML is read in."""
    inert = one_line(str(text))[:_LONGEST].replace("`", "'")
    return f"`{inert}`" if inert else "a network without a name"
