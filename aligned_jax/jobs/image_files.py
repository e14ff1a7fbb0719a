"""The forms in which `aligned generate` writes images: .npz, grid, page, folder."""

import argparse
import dataclasses
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aligned_jax import provenance
from aligned_jax.cli.command_line import command
from aligned_jax.config import to_dict
from aligned_jax.errors import UserError
from aligned_jax.networks.network import Network
from aligned_jax.provenance import versions
from aligned_jax.rendering.render import Inputs, Manner
from aligned_jax.viz import (
    check_file,
    check_folder,
    figure,
    report,
    save_png,
    tile,
    to_uint8,
    writing,
    writing_folder,
)

Batches = Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]
Meta = Mapping[str, Any]


def writer(out: str, overwrite: bool) -> Callable[[str, Batches, Inputs, Meta, bool], None]:
    """The function below that writes to a target of this name.

    Raises:
      UserError: if the name's ending is not understood, or the target exists.
    """
    suffix = os.path.splitext(out)[1]
    if os.path.isdir(out) or out.endswith("/") or not suffix:
        check_folder(out, overwrite)
        return write_folder
    writers = {".npz": write_npz, ".png": write_grid, ".html": write_page}
    if suffix not in writers:
        raise UserError(
            f"{out}: images are written to NAME.npz, NAME.png, NAME.html, or a folder "
            "(a name without an ending, or with a slash at the end)"
        )
    check_file(out, overwrite)
    return writers[suffix]


def check_once(seeds: Sequence[int]) -> None:
    """Raises UserError naming seeds that come twice: in a folder they would be one file."""
    twice = [str(seed) for seed, count in Counter(seeds).items() if count > 1]
    if twice:
        more = f" and {len(twice) - 8} more" if len(twice) > 8 else ""
        raise UserError(
            f"seeds given more than once: {', '.join(twice[:8])}{more}; in a folder a seed is one "
            "file, so give each once, or write NAME.png or NAME.npz"
        )


def describe(
    args: argparse.Namespace, network: Network, inputs: Inputs, manner: Manner
) -> dict[str, Any]:
    """What is kept beside images: enough to draw them again."""
    source = {"network": args.network, "key": args.network_key}
    return {
        "command": args.command_line,
        "network": source | provenance.summary(network.provenance or {}),
        "config": to_dict(network.config),
        "images": list(inputs.names),
        "manner": dataclasses.asdict(manner),
        "versions": versions(),
    }


def write_npz(out: str, batches: Batches, inputs: Inputs, meta: Meta, overwrite: bool) -> None:
    """`images`, latents and `meta_json` in one file.

    Images go straight to the disk, so that memory does not bound their number.
    """
    size, channels = meta["config"]["img_resolution"], meta["config"]["img_channels"]
    header = {
        "descr": "<f4",
        "fortran_order": False,
        "shape": (len(inputs), size, size, channels),
    }
    parts: list[dict[str, np.ndarray]] = []
    with writing(out, overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        with archive.open("images.npy", "w", force_zip64=True) as entry:
            np.lib.format.write_array_header_1_0(entry, header)
            for images, latents in batches:
                entry.write(np.ascontiguousarray(images, "<f4").data)
                parts.append(latents)
        used = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        text = np.asarray(json.dumps(meta))
        for key, value in {**inputs.arrays, **used, "meta_json": text}.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, value, allow_pickle=False)


def write_grid(out: str, batches: Batches, inputs: Inputs, meta: Meta, overwrite: bool) -> None:
    """One PNG, images side by side in the order of the inputs."""
    images = np.concatenate([to_uint8(images) for images, _ in batches])
    with writing(out, overwrite) as file:
        save_png(file, tile(images), provenance.png_text(meta["command"]))


def write_page(out: str, batches: Batches, inputs: Inputs, meta: Meta, overwrite: bool) -> None:
    """One HTML file with a thumbnail of each image."""
    images = np.concatenate([to_uint8(images) for images, _ in batches])
    network = meta["network"]["network"]
    settings = {"network": network, "key": meta["network"]["key"], **meta["manner"]}
    shown = report.gallery(list(zip(inputs.names, images, strict=True)))
    save_page(out, f"Drawn by {network}", meta["command"], settings, [shown], overwrite)


def save_sheet(
    args: argparse.Namespace,
    title: str,
    columns: Sequence[str],
    rows: Sequence[str],
    images: np.ndarray,
    settings: Mapping[str, Any] | None = None,
) -> str:
    """Writes labelled rows and columns to --out: a PNG, or NAME.html; returns their numbers.

    Args:
      args: with --out, --overwrite, and whatever else the page should tell.
      title: of the page.
      columns, rows: their labels.
      images: uint8 [R, K, H, W, C].
      settings: that the page tells in place of arguments of these names.
    """
    if args.out.endswith(".html"):
        sections = [report.pictures(columns, rows, images)]
        told = dict(command(args).arguments) | (settings or {})
        save_page(args.out, title, args.command_line, told, sections, args.overwrite)
    else:
        with writing(args.out, args.overwrite) as file:
            picture = figure(images, columns, rows)
            save_png(file, picture, provenance.png_text(args.command_line))
    return f"{len(rows)} rows, {len(columns)} columns"


def save_page(
    out: str,
    title: str,
    command: str,
    settings: Mapping[str, Any],
    sections: Sequence[str],
    overwrite: bool,
) -> None:
    """An HTML file: title, command and settings on top, sections of `report` below."""
    made_by = provenance.png_text(command)["Software"]
    page = report.page(title, [report.origin(command, settings), *sections], made_by)
    with writing(out, overwrite) as file:
        file.write(page.encode())


def write_folder(out: str, batches: Batches, inputs: Inputs, meta: Meta, overwrite: bool) -> None:
    """seed0003.png (or row0003.png, ...) for each image, and meta.json."""
    names = iter(inputs.names)
    text = provenance.png_text(meta["command"])
    with writing_folder(out, overwrite) as folder:
        for images, _ in batches:
            for image in to_uint8(images):
                with open(folder / f"{_file_name(next(names))}.png", "wb") as file:
                    save_png(file, image, text)
        (folder / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def _file_name(name: str) -> str:
    """ "seed0003_row0012" of "seed 3, row 12"; other parts stay as they are."""
    parts = (re.sub(r"^([a-z]+) (\d+)$", _padded, part) for part in name.split(", "))
    return "_".join(parts)


def _padded(match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2]):04d}"
