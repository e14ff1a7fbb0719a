"""Runs of the smallest networks on images in memory, in this process or another."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from aligned_jax import checkpoint
from aligned_jax.augment.options import AdaConfig, AugmentConfig
from aligned_jax.cli import training
from aligned_jax.config import to_dict
from aligned_jax.data import open_dataset
from aligned_jax.data.images import scan
from aligned_jax.data.options import DataOptions
from aligned_jax.data.writer import write_dataset
from aligned_jax.provenance import Command
from aligned_jax.runs import saved_state
from aligned_jax.runs.config import SnapshotOptions, TrainConfig
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.hosts import Session
from aligned_jax.runs.launch import PlannedRun
from aligned_jax.training.options import GanOptions
from tests.training import tiny_gan as tiny


class Images:
    """Random images that answer as an open dataset does."""

    resolution, channels, c_dim, fingerprint = 8, 3, 0, "images"
    options = DataOptions("memory")

    def __init__(self, count=40):
        self.images = tiny.images(count)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], np.zeros(0, np.float32)


GAN = GanOptions(32, g_reg_interval=2, d_reg_interval=4, ema_kimg=1.0)
SNAPSHOTS = SnapshotOptions(tick_kimg=1, dense=0, every=2, images=3)
CONFIG = TrainConfig(
    Images.options,
    tiny.GENERATOR,
    tiny.DISCRIMINATOR,
    GAN,
    snapshots=SNAPSHOTS,
    kimg=3,
    fingerprint=Images.fingerprint,
)


_ASKED = object()


def planned(folder, config=CONFIG, dataset=None, kimg=_ASKED, devices=1, tensorboard=False):
    """A run that is told of as on the command line; by default its length was asked for."""
    return PlannedRun(
        RunFolder(folder),
        config,
        dataset or Images(),
        config.kimg if kimg is _ASKED else kimg,
        Session(threads=1, cache=False, devices=devices, tensorboard=tensorboard),
        training.CONSOLE,
    )


def train(folder, config=CONFIG, dataset=None, **changed):
    """Begins or goes on; returns the exit code."""
    run = planned(folder, config, dataset, **changed)
    return training.conclude(run.begin(Command("aligned pretrain")))


def replaced(part=None, **changed):
    """CONFIG with fields, or fields of one part, changed."""
    if part is not None:
        changed = {part: dataclasses.replace(getattr(CONFIG, part), **changed)}
    return dataclasses.replace(CONFIG, **changed)


def results(folder):
    """Everything a run came to that does not depend on the clock."""
    run = RunFolder(folder)
    latest = saved_state.latest_state(run)
    with np.load(latest / saved_state.TRAINING) as file:
        found = {name: file[name] for name in file.files}
    for key in ("G_ema", "G", "D"):
        tree = checkpoint.read(latest, key)
        found |= saved_state.named(key, tree)
    stats = [{k: v for k, v in line.items() if k != "timing"} for line in run.read_stats()]
    pictures = {path.name: path.read_bytes() for path in sorted(run.path.glob("*.png"))}
    folders = {
        path.name: sorted(p.name for p in path.iterdir())
        for path in sorted(run.path.glob("checkpoints/*"))
    }
    return found, stats, pictures, folders


def assert_same(first, second):
    """Two results are the same to the bit."""
    for name in first[0].keys() | second[0].keys():
        np.testing.assert_array_equal(first[0][name], second[0][name], err_msg=name)
    assert first[1:] == second[1:]


def every_kind(folder):
    """A config in which all that a state remembers is at work, and its data in `folder`.

    Labels, mirrored images, adaptive augmentation, rounds, and two devices.
    """
    for number, image in enumerate(tiny.images(40)):
        path = folder / "images" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    write_dataset(scan(folder / "images", 8), folder / "data", workers=1)
    dataset = open_dataset(DataOptions(str(folder / "data"), labels="label", mirror=True))
    return replaced(
        data=dataset.options,
        fingerprint=dataset.fingerprint,
        generator=dataclasses.replace(tiny.GENERATOR, c_dim=2),
        discriminator=dataclasses.replace(tiny.DISCRIMINATOR, c_dim=2),
        gan=dataclasses.replace(GAN, rounds=2, d_reg_interval=2, pl_weight=0.0),
        augment=AugmentConfig(xflip=1, rotate=1, xfrac=1, brightness=1, cutout=1),
        ada=AdaConfig(target=-1.0, kimg=5.0),
    )


def train_on_disk(folder, config):
    """The same as `train` for a config whose data lie on the disk."""
    return train(folder, config, open_dataset(config.data), devices=2)


def main(argv):
    """Another process: FOLDER CONFIG-AS-JSON."""
    config = TrainConfig.from_json(json.loads(argv[1]))
    train_it = train if config.data == Images.options else train_on_disk
    sys.exit(train_it(argv[0], config))


def command(folder, config=CONFIG):
    """The command line of `main`."""
    code = "import sys; from tests.runs import small_runs as runs; runs.main(sys.argv[1:])"
    return [sys.executable, "-c", code, str(folder), json.dumps(to_dict(config))]


ROOT = Path(__file__).parents[2]
