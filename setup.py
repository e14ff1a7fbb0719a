"""Installs the top-level folders `train` and `tools` inside the package.

They stay at the top of the repository, where people look for programs, and
import as `aligned_jax.train` and `aligned_jax.tools`. Sub-packages are found,
not listed, so that a wheel never misses one.
"""

from setuptools import find_packages, setup


def programs(folder: str) -> list[str]:
    """Package names of a top-level folder of programs and all folders in it."""
    return [f"aligned_jax.{folder}"] + [f"aligned_jax.{folder}.{p}" for p in find_packages(folder)]


setup(
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
