"""How messages of the library, which name arguments of Python, read on the command line.

The library writes an argument between backquotes: "pass `overwrite=True`", "`psi` is 3". At the
edge the same message names the option: "pass --overwrite", "--psi is 3".
"""

import re

# As they are typed, where that is not the argument's own name with dashes.
TYPED = {
    "kind='latents'": "--latents",
    "learning_rate": "--lr",
    "mirror=False": "--no-flip",
    "path": "--ppl-...",
    "to=False": "--by",
}
_ARGUMENT = re.compile(r"`([a-z][a-z0-9_]*)(?:=(True|False|'[^'`]*'|[0-9][0-9.]*))?`")


def as_typed(text: str) -> str:
    """A message with every argument of Python in it named as the option that it is.

    Args:
      text: in which `name`, `name=True`, `name=False`, `name='text'` and `name=1` stand between
        backquotes; other words between backquotes stay as they are.
    """
    return _ARGUMENT.sub(_option, text)


def arguments_in(text: str) -> list[tuple[str, str]]:
    """The arguments that a message names: what is given in Python, and what is typed."""
    return [(match[0].strip("`"), _option(match)) for match in _ARGUMENT.finditer(text)]


def _option(match: re.Match[str]) -> str:
    whole, (name, value) = match[0].strip("`"), match.groups()
    if whole in TYPED:
        return TYPED[whole]
    option = f"--{name.replace('_', '-')}"
    if value == "True" or value is None:
        return option
    if value == "False":
        return f"--no-{option.removeprefix('--')}"
    return f"{option} {value.strip(chr(39))}"
