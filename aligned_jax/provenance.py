"""Where results come from: versions, the command, and what it was given."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PACKAGES = ("aligned_jax", "jax", "jaxlib", "numpy")
# What is worth repeating of where a parent came from; the rest stays with the parent.
_WORTH_REPEATING = (
    "kind",
    "file",
    "commit",
    "sha256",
    "format",
    "code_base",
    "verb",
    "command",
    "images",
)
_MOST_PARENTS = 16
# What a result does not repeat of its command: the line, the program, and where the result goes.
_UNSAID = ("command_line", "program", "overwrite", "out")


@dataclass(frozen=True)
class Command:
    """The command that makes a result, as its provenance records it.

    Attributes:
      line: as it was typed, "aligned reset ffhq.pkl ..."; empty in a script.
      arguments: what was given or has a default, JSON-able, but where the result goes.
    """

    line: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, line: str, arguments: Mapping[str, Any]) -> "Command":
        """A command of which the arguments count that were given or have a default.

        Args:
          line: as it was typed.
          arguments: by name, None where there is none.
        """
        known = arguments.items()
        given = {key: value for key, value in known if key not in _UNSAID and value is not None}
        return cls(line, given)

    @property
    def verb(self) -> str:
        """The verb: the second word of the line."""
        return self.line.split()[1] if self.line else ""


def versions() -> dict[str, str]:
    """Versions of Python, and of the packages that compute."""
    import platform
    from importlib import metadata  # slow to import, and help needs neither

    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in _PACKAGES
    }


def summary(provenance: Mapping[str, Any] | None) -> dict[str, Any]:
    """The few facts of a provenance that identify a network."""
    known = provenance or {}
    return {key: known[key] for key in _WORTH_REPEATING if key in known}


def started_from(command: Any, verbs: tuple[str, ...] = ("finetune", "encoder")) -> str | None:
    """The NETWORK of `aligned finetune NETWORK ...`; None for other commands, or none.

    Args:
      command: as it was recorded, possibly by somebody else.
      verbs: that start from a network.
    """
    words = _words(command)
    return words[2] if len(words) > 2 and words[0] == "aligned" and words[1] in verbs else None


def given_to(command: Any, option: str) -> str | None:
    """What a recorded command gives to an option, such as "--kimg"; None if it does not."""
    words = _words(command)
    return words[words.index(option) + 1] if option in words[:-1] else None


def forebears(known: Any, deepest: int = 16) -> dict[str, Any]:
    """What a network was made from, and that from what, as far as its provenance tells.

    Args:
      known: of the network, possibly by somebody else; what makes no sense is passed over.
      deepest: generations at most.

    Returns:
      by role, "network", the facts of `summary`, and "parents" of the same form if there are any.
    """
    if not isinstance(known, Mapping) or deepest < 1:
        return {}
    if isinstance(known.get("provenance"), Mapping):  # what a file of ours was written with
        return forebears(known["provenance"], deepest)
    parents = known.get("parents")
    found: dict[str, Any] = {}
    if isinstance(parents, Mapping):
        for role, parent in list(parents.items())[:_MOST_PARENTS]:
            if isinstance(parent, Mapping):
                facts = {"network": str(parent.get("network", "")), **summary(parent)}
                before = forebears(parent, deepest - 1)
                found[str(role)] = facts | ({"parents": before} if before else {})
    started = started_from(known.get("command"))
    return found or ({"network": {"network": started}} if started else {})


def _words(command: Any) -> list[str]:
    try:
        return shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return []


def origin(command: Command, parents: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Provenance of a result: the command, its arguments, and the parents' origins.

    Args:
      command: that made it.
      parents: by role, the NETWORK argument and what has its `provenance`.
    """
    return {
        "kind": "made",
        "verb": command.verb,
        "command": command.line,
        "arguments": {k: v for k, v in command.arguments.items() if k not in parents},
        "parents": {
            role: {"network": text, **summary(network.provenance)}
            for role, (text, network) in parents.items()
        },
        "versions": versions(),
    }


def with_command(origin: Mapping[str, Any], command: Command) -> dict[str, Any]:
    """An `origin` whose result was made by `command`; without a line it stays as it is."""
    if not command.line:
        return dict(origin)
    parents = origin.get("parents", {})
    arguments = {k: v for k, v in command.arguments.items() if k not in parents}
    made = {"verb": command.verb, "command": command.line, "arguments": arguments}
    return {**origin, **made}


def made_by() -> str:
    """The versions of `versions` in one line."""
    return " ".join(f"{name} {version}" for name, version in versions().items())


def record(command: Command, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What every result says of how it was made: command, arguments, versions.

    Args:
      command: that made it.
      facts: that are said besides.

    Returns:
      a document of JSON's own types: numbers of NumPy become Python's, all else text.
    """
    known = {"command": command.line, "arguments": dict(command.arguments)}
    return _plain({**known, "versions": versions(), **(facts or {})})


def _plain(document: Any) -> Any:
    def plain(value: Any) -> Any:
        return value.item() if getattr(value, "shape", None) == () else str(value)

    return json.loads(json.dumps(document, default=plain))


def png_text(command: Command | str, facts: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The text chunks of a PNG that tell how it was made.

    Args:
      command: that made it, or its line alone.
      facts: of networks and latents, JSON-able.

    Returns:
      `Software`, the versions; `Comment`, the command line; and `aligned_jax`, JSON of `record` and
      the facts, which a line alone has not.
    """
    if isinstance(command, str):
        return {"Software": made_by(), "Comment": command}
    told = json.dumps(record(command, facts))
    return {"Software": made_by(), "Comment": command.line, "aligned_jax": told}
