"""Installs the top-level folders `train` and `tools` inside the package; tells what it is.

The folders stay at the top of the repository, where people look for programs, and
import as `aligned_jax.train` and `aligned_jax.tools`. Sub-packages are found,
not listed, so that a wheel never misses one.

Links of README.md are relative, so that they hold in every copy of the repository. Package
indexes show the text alone: there links lead to the repository, if pyproject.toml names it.
"""

import re
import tomllib
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def programs(folder: str) -> list[str]:
    """Package names of a top-level folder of programs and all folders in it."""
    return [f"aligned_jax.{folder}"] + [f"aligned_jax.{folder}.{p}" for p in find_packages(folder)]


def shown_elsewhere(text: str, repository: str | None) -> str:
    """Markdown with links that hold anywhere.

    Args:
      text: with links that are relative to the root of the repository.
      repository: its address, as GitHub has it; without one, relative links become plain text,
        and pictures are left out.
    """

    def moved(match: re.Match[str]) -> str:
        picture, name, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        if repository is None:
            return "" if picture else name
        return f"{picture}[{name}]({repository}/{'raw' if picture else 'blob'}/HEAD/{target})"

    parts = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    parts[::2] = [re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", moved, part) for part in parts[::2]]
    return "".join(parts)


project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
setup(
    long_description=shown_elsewhere(
        (ROOT / "README.md").read_text("utf-8"), project["urls"].get("Repository")
    ),
    long_description_content_type="text/markdown",
    packages=find_packages(include=["aligned_jax", "aligned_jax.*"])
    + programs("train")
    + programs("tools"),
    package_dir={
        "aligned_jax": "aligned_jax",
        "aligned_jax.train": "train",
        "aligned_jax.tools": "tools",
    },
    package_data={
        "aligned_jax": [
            *("py.typed", "*.pyi", "*/*.pyi", "jobs/*/*.html", "zoo/*/*", "viewer/static/*"),
        ]
    },
    exclude_package_data={"aligned_jax": ["*/__pycache__/*"]},  # zoo/*/* would take it in
)
