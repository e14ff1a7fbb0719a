"""A page for each verb of the command line, made of its parser."""

import argparse
import functools
import html
import re
import textwrap
from collections.abc import Iterator
from typing import TypeGuard

from aligned_jax.tools.main import ALIGNED

_WIDTH = 88
_FORMATTER = functools.partial(argparse.RawDescriptionHelpFormatter, width=_WIDTH)
# What Markdown would take for its own, outside of code.
_SPECIAL = re.compile(r"([\\*_\[\]#|{}])")
_OPTION = re.compile(r"(?<![\w`-])(--[a-z][\w.-]*\w)")
_OVERRIDES = """\
Any field of the config is overridden by its dotted name, such as `--gan.r1-gamma 0.2`; `--options`
lists them all with their values, in the order of the config.
"""


def pages() -> dict[str, str]:
    """Markdown of the overview and of every verb, by place on the site."""
    made = {f"cli/{verb}.md": _verb(verb) for verb in ALIGNED.verbs}
    rows = [f"| [{verb}]({verb}.md) | {said(one.summary)} |" for verb, one in ALIGNED.verbs.items()]
    table = ["| verb | what it does |", "| --- | --- |", *rows]
    head = ["# Every verb", "", said(ALIGNED.says), "", said(ALIGNED.notes), ""]
    return {"cli/index.md": "\n".join([*head, *table, ""])} | made


def _verb(verb: str) -> str:
    """The page of one verb."""
    module, parser = ALIGNED.module_of(verb), ALIGNED.parser(verb)
    first, *others = _prose(module.__doc__ or "")
    parts = [f"# aligned {verb}", first, _fenced("sh", textwrap.dedent(module.EXAMPLE)), *others]
    parts += [_OVERRIDES] if getattr(module, "OVERRIDES", False) else []
    return "\n\n".join([*parts, *_parser(parser, 2)]) + "\n"


def _parser(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """Usage and arguments of a parser, and of those below it."""
    parser.formatter_class = _FORMATTER
    yield _fenced("text", parser.format_usage())
    formatter = parser._get_formatter()
    below: list[argparse._SubParsersAction] = []
    for group in parser._action_groups:
        below += [one for one in group._group_actions if _has_parsers(one)]
        shown = [one for one in group._group_actions if not _has_parsers(one) and _is_told(one)]
        if shown:
            title = {"positional arguments": "arguments"}.get(group.title or "", group.title)
            yield f"{'#' * level} {said(_sentence(str(title)).rstrip('.'))}"
            yield from _prose(group.description or "")
            yield "\n\n".join(_argument(one, formatter) for one in shown)
    for action in below:
        told = {one.dest: one.help or "" for one in action._choices_actions}
        for name, inner in action.choices.items():
            yield f"{'#' * level} {inner.prog.removeprefix('aligned ')}"
            yield from [said(_sentence(told[name]))] if told.get(name) else []
            yield from _prose(inner.description or "")
            yield from _parser(inner, level + 1)


def _has_parsers(action: argparse.Action) -> TypeGuard[argparse._SubParsersAction]:
    return isinstance(action, argparse._SubParsersAction)


def _is_told(action: argparse.Action) -> bool:
    return action.help is not argparse.SUPPRESS and not isinstance(action, argparse._HelpAction)


def _argument(action: argparse.Action, formatter: argparse.HelpFormatter) -> str:
    """One entry of a list of definitions."""
    name = formatter._format_action_invocation(action)
    text = said(formatter._expand_help(action)) if action.help else ""
    return f"`{name}`\n:   {' '.join(filter(None, (text, _number(action))))}"


def _number(action: argparse.Action) -> str:
    """How many of an argument are wanted, where that is not plain."""
    if action.option_strings:
        return "*(required)*" if action.required else ""
    several = {"?": "*(may be left out)*", "*": "*(any number)*", "+": "*(one or more)*"}
    return several.get(str(action.nargs), "" if action.help else "*(required)*")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _prose(text: str) -> list[str]:
    """Paragraphs; those that are set in are code."""
    parts = filter(None, re.split(r"\n\s*\n", textwrap.dedent(text).strip()))
    return [_fenced("text", part) if part.startswith("  ") else said(part) for part in parts]


def _fenced(language: str, code: str) -> str:
    return f"```{language}\n{textwrap.dedent(code).strip()}\n```"


def said(text: str) -> str:
    """Plain text as Markdown: spans in backticks and names of options are code."""
    parts = re.split(r"(`[^`]+`)", text)
    for k in range(0, len(parts), 2):
        plain = _SPECIAL.sub(r"\\\1", html.escape(parts[k], quote=False))
        parts[k] = _OPTION.sub(r"`\1`", plain)
    return "".join(parts)
