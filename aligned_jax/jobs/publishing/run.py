"""Publishes a network on the Hugging Face Hub: the file, its card, and pictures nobody chose."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aligned_jax import viz
from aligned_jax.ancestry import warn_unrelated
from aligned_jax.checkpoint import Manifest, find
from aligned_jax.errors import UserError
from aligned_jax.hub import SCHEME, HubAddress, HubFolder, is_hub, upload
from aligned_jax.jobs.conversion import described, export_networks
from aligned_jax.jobs.drawings import generate
from aligned_jax.jobs.families import family
from aligned_jax.jobs.publishing.card import CARD_FILE, NETWORK_FILE, PICTURE_FILE, HubCard
from aligned_jax.loading import NetworkSource, label_of, named_network
from aligned_jax.networks.network import Network
from aligned_jax.provenance import Command, png_text
from aligned_jax.rendering.records import picture_facts
from aligned_jax.utils import checksums
from aligned_jax.utils.reporting import QUIET, Reporter
from aligned_jax.utils.text import listed
from aligned_jax.viz.grid import reduced

_LARGEST = 2048  # pixels of a side of the picture
_PLACE = re.compile(r"(?:^|[\s'\"=`])((?:/|~/|[A-Za-z]:\\)[^\s'\"`]+)", re.M)


@dataclass(frozen=True)
class Published:
    """What was published, or would be.

    Attributes:
      address: of the network.
      card: README.md.
      sizes: bytes of every file, by name.
      commit: 40 hexadecimal digits; None if nothing was sent.
    """

    address: str
    card: str
    sizes: dict[str, int]
    commit: str | None = None

    def text(self) -> str:
        """The files and their sizes, a line each."""
        return "\n".join(f"{name:24} {size:>12,} bytes" for name, size in self.sizes.items())


def publish(
    network: NetworkSource,
    address: str,
    *,
    license: str,
    parent: str | os.PathLike[str] | None = None,
    tags: Sequence[str] = (),
    keys: Sequence[str] | None = ("G_ema",),
    half: bool = False,
    seeds: str | Sequence[int] = "0-15",
    psi: float = 1.0,
    label: int | None = None,
    batch: int = 8,
    private: bool = False,
    dry_run: bool = False,
    out: str | os.PathLike[str] | None = None,
    command: Command = Command(),  # noqa: B008  # it cannot change
    overwrite: bool = False,
    report: Reporter = QUIET,
) -> Published:
    """Writes a network and its card, and sends both to the Hub in one commit (extra `hub`).

    The card says license, sizes, hashes, how to use the network, and its family tree as far as
    files know it: parents, lengths of training, data and commands, which name folders of this
    machine where they were typed so. A grid shows the first latents, beside those of the parent
    if one is given. Who may write is decided by huggingface_hub's token.

    Args:
      network: a name, or a loaded generator.
      address: hf://owner/name, whose network becomes network.safetensors, or
        hf://owner/name/FILE.safetensors. The repository is made if there is none.
      license: an identifier of the Hub, such as "cc0-1.0", "cc-by-4.0", "apache-2.0" or "other".
      parent: what the network is a child of. One of the Hub becomes `base_model` of the card.
      tags: words by which it is found, besides stylegan2, aligned_jax and jax.
      keys: networks of the source: G_ema, G, D, E; None takes all.
      half: stores float16.
      seeds: of the pictures, a list or text such as "0-15".
      psi: truncation of the pictures; 1 is none.
      label: class of conditional networks.
      batch: images at a time.
      private: makes a new repository private.
      dry_run: sends nothing and asks nobody.
      out: a folder that gets a copy of what is sent.
      command: recorded as what published it.
      overwrite: replaces files of the same names, there and in `out`.
      report: hears warnings, and of every image.

    Raises:
      UserError: for an address, license or networks that make no sense, files that are there
        already, a Hub that refuses or does not answer, or a missing extra; nothing is sent then.
    """
    place = _target(address, license, tags)
    if out is not None:
        viz.check_folder(out, overwrite)
    name, manifest = described(network)
    chosen = _chosen(name, manifest, keys)
    file = place.file or NETWORK_FILE
    drawn = next((key for key in ("G_ema", "G") if key in chosen), None)
    names = [CARD_FILE, file, *([PICTURE_FILE] if drawn else [])]
    there = None
    if not dry_run:
        there = HubFolder.look(place.repository)
        there.check(names, private, overwrite)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        export_networks(network, folder / file, tuple(chosen), half=half, command=command)
        shown = ""
        if drawn:
            options = {"seeds": seeds, "psi": psi, "label": label, "batch": batch}
            shown = _draw(folder / PICTURE_FILE, network, parent, drawn, options, command, report)
        card = HubCard(
            place,
            Manifest({key: manifest.configs[key] for key in chosen}, manifest.provenance),
            name if name.startswith(("zoo:", SCHEME)) else label_of(name),
            license,
            tags,
            None if parent is None else os.fspath(parent),
            shown,
            {file: checksums.of_file(folder / file)},
            _data(network),
        ).text()
        (folder / CARD_FILE).write_text(card, encoding="utf-8")
        if places := sorted(set(_PLACE.findall(f"{name}\n{card}\n{command.line}"))):
            report.warn(f"what is published names folders of this machine: {listed(places)}")
        files = {each: folder / each for each in names}
        sizes = {each: path.stat().st_size for each, path in files.items()}
        if out is not None:
            with viz.writing_folder(out, overwrite) as copy:
                shutil.copytree(folder, copy, dirs_exist_ok=True)
        commit = upload(there, files, f"Publish {place.name}", private) if there else None
    return Published(str(place), card, sizes, commit)


def _target(address: str, license: str, tags: Sequence[str]) -> HubAddress:
    """Where to publish; raises UserError for what the Hub would not take."""
    if not is_hub(address):
        raise UserError(f"{address:.200}: networks are published at hf://owner/name")
    place = HubAddress.parse(address)
    if place.revision is not None:
        raise UserError(f"{address}: networks are published on the main branch; leave out @")
    if place.file is not None and not re.fullmatch(r"[^/]+\.safetensors", place.file):
        raise UserError(f"{address}: a network is published as NAME.safetensors")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", license):
        raise UserError(
            f"the license is {license!r:.60}; give an identifier such as cc0-1.0, cc-by-4.0, "
            "apache-2.0 or other"
        )
    if wrong := [tag for tag in tags if not re.fullmatch(r"[\w.:+/ -]{1,100}", tag)]:
        raise UserError(f"tags are words, not {listed(map(repr, wrong))}")
    return place


def _chosen(name: str, manifest: Manifest, keys: Sequence[str] | None) -> list[str]:
    chosen = list(manifest.configs if keys is None else keys)
    if missing := [key for key in chosen if key not in manifest.configs]:
        raise UserError(
            f"{name} has no network {', '.join(map(repr, missing))}; "
            f"it has {', '.join(manifest.configs)}"
        )
    return chosen


def _draw(
    path: Path,
    network: NetworkSource,
    parent: str | os.PathLike[str] | None,
    key: str,
    options: dict[str, Any],
    command: Command,
    report: Reporter,
) -> str:
    """Draws the samples, beside the parent's if there is one; returns what they show."""
    facts: Mapping[str, Any]
    if parent is None:
        batch = generate(network, network_key=key, **options)
        picture = viz.tile(viz.to_uint8(batch.images(report)))
        facts = picture_facts({batch.network_name: batch.network}, batch.latents)
        shown = f"Images of {batch.latents.names[0]} to {batch.latents.names[-1]}"
    else:
        names = ["the parent", "this network"]
        loaded = [named_network(source, key)[1] for source in (parent, network)]
        warn_unrelated([parent, network], loaded, report)
        sheet = family(loaded, names=names, network_key=key, report=report, **options)
        picture, facts = sheet.picture(), dict(sheet.made_of)
        shown = "The same latents in the parent and in this network"
    with viz.writing(path) as file:
        viz.save_png(file, reduced(picture, _LARGEST), png_text(command, facts))
    return f"{shown}, psi {options['psi']:g}."


def _data(network: NetworkSource) -> dict[str, str]:
    """What a run knows of its data, if the network is one of a run."""
    if isinstance(network, Network):
        return {}
    try:
        from aligned_jax.runs.folder import RunFolder  # not everywhere: it needs locks of files

        run = RunFolder(find(network).parents[1])
        config = run.read_config()
    except (UserError, IndexError, ImportError):
        return {}
    name = Path(config.data.path).name
    return {"data": name, "fingerprint of the data": config.fingerprint}
