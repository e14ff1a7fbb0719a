"""`aligned encoder`: what every option plans, a dry run, a run, and refusals in one line."""

import functools
import json
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from PIL import Image

import aligned_jax as aj
from aligned_jax import features
from aligned_jax.config import GeneratorConfig, MappingConfig, SynthesisConfig
from aligned_jax.config.encoder import IR_SE50, SLIM
from aligned_jax.data.images import scan
from aligned_jax.data.writer import write_dataset
from aligned_jax.runs import dry_run
from aligned_jax.runs.folder import RunFolder
from aligned_jax.runs.tasks.encoder import EncoderTask
from tests import standins
from tests.networks.small_encoder import filled

# Of the same kind as the published ones, but for their widths.
_SMALL = "--encoder.stages 4 1 5 1 6 1 7 1 --losses.lpips 0 --snapshots.images 2"
SMALL = _SMALL.split()


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """Folder of generators G16, G32 and G512, and of images D16, D32 and D512 for each."""
    folder = tmp_path_factory.mktemp("family")
    for size in (16, 32, 512):
        channels = tuple([3] * (size.bit_length() - 2))
        config = GeneratorConfig(
            size, 5, 0, 6, mapping=MappingConfig(1), synthesis=SynthesisConfig(channels=channels)
        )
        variables = filled(config)
        signed = jax.tree.map(lambda v: v - np.float32(0.25), variables["params"])
        aj.save(folder / f"G{size}", aj.Network(config, variables | {"params": signed}))
        (folder / f"images{size}").mkdir()
        for number in range(4):
            pixels = np.random.RandomState(number).randint(0, 256, (size, size, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(
                folder / f"images{size}" / f"{number}.png"
            )
        images = scan(folder / f"images{size}", size, test=0.5)
        write_dataset(images, folder / f"D{size}", workers=1)
    return folder


def words_of(family, run, line, size=32):
    """A command line in words; G, D and R stand for the generator, its images and the run."""
    names = {name: family / name for name in ("G16", "D16", "G512", "D512")}
    names |= {"G": family / f"G{size}", "D": family / f"D{size}", "R": run}
    return ("encoder", *[names.get(word, word) for word in line.split()], "--no-cache")


@pytest.fixture
def loss_networks(monkeypatch):
    """Stand-ins for LPIPS and ArcFace; a list of the names asked for."""
    asked = []

    def load(name, kind):
        asked.append(name)
        return kind()

    monkeypatch.setattr(features, "lpips", functools.partial(load, kind=standins.Squares))
    monkeypatch.setattr(features, "load", functools.partial(load, kind=standins.projection))
    return asked


@pytest.fixture
def plan(ok, family, loss_networks, monkeypatch, tmp_path):
    """plan("options") -> the config of the run, as JSON."""
    monkeypatch.setattr(dry_run, "report", lambda run, state: [dry_run.place(run, 0)])
    monkeypatch.setattr(EncoderTask, "created", lambda self, sources: None)

    def run(options, size=32):
        line = f"G --data D --run R --devices 1 --dry-run {options}"
        text = ok(*words_of(family, tmp_path / "run", line, size))
        run.said = text
        return json.JSONDecoder().raw_decode(text)[0]

    return run


def flat(values, prefix=""):
    """The same with dotted names."""
    leaves = {}
    for name, value in values.items():
        nested = isinstance(value, dict)
        leaves |= flat(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return leaves


PLAIN = {
    "losses.adversarial": 0.0,
    "losses.delta_norm": 0.0,
    "losses.progressive_start": None,
    "losses.progressive_every": 2000,
    "encoder.deltas": False,
}
STAGES = {"irse50": [list(pair) for pair in IR_SE50], "slim": [list(pair) for pair in SLIM]}
# Options, and all that they change in the plan.
CHANGES = {
    "--space w+": {},
    "--plain-rows": PLAIN,
    "--space w": PLAIN | {"encoder.space": "w"},
    "--space z": PLAIN | {"encoder.space": "z", "encoder.latent_dim": 5},
    "--space z+": PLAIN | {"encoder.space": "z+", "encoder.latent_dim": 5},
    "--backbone slim": {},
    "--backbone irse50": {"encoder.stages": STAGES["irse50"]},
    "--backbone irse50 --arcface": {"encoder.stages": STAGES["irse50"], "backbone": True},
    "--kimg 16": {
        "kimg": 16,
        "losses.progressive_start": 200,
        "losses.progressive_every": 20,
    },
    "--batch 16": {
        "losses.batch_size": 16,
        "losses.progressive_start": 10_000,
        "losses.progressive_every": 1_000,
    },
    "--seed 3": {"seed": 3},
    "--losses.l2 0.5": {"losses.l2": 0.5},
    "--losses.progressive-start None": {
        "losses.progressive_start": None,
        "losses.progressive_every": 2000,
    },
    "--losses.progressive-every 5": {"losses.progressive_every": 5},
    "--losses.lpips 0": {"losses.lpips": 0.0, "snapshots.metrics": "pixel_rmse"},
    "--losses.lpips-net vgg": {
        "losses.lpips_net": "vgg",
        "snapshots.metrics": "pixel_rmse,lpips_vgg",
    },
    "--snapshots.metrics lpips_vgg": {"snapshots.metrics": "lpips_vgg"},
    "--snapshots.metrics pixel_rmse": {"snapshots.metrics": "pixel_rmse"},
    "--snapshots.tick-kimg 2": {"snapshots.tick_kimg": 2},
}


@pytest.mark.parametrize("options", CHANGES)
def test_what_options_plan(plan, options):
    before, after = flat(plan("")), flat(plan(options))
    changed = {name: value for name, value in after.items() if value != before[name]}
    assert changed == {n: v for n, v in CHANGES[options].items() if v != before[n]}
    assert all(after[name] == value for name, value in CHANGES[options].items())


def test_the_plan_without_options(plan, loss_networks, family, tmp_path):
    planned = plan("")
    sizes = {"img_resolution": 32, "space": "w+", "rows": 8, "latent_dim": 6, "deltas": True}
    assert planned["encoder"] == sizes | {"img_channels": 3, "stages": STAGES["slim"]}
    assert planned["start"] == str(family / "G32") and planned["data"]["path"] == str(
        family / "D32"
    )
    assert (planned["kimg"], planned["seed"], planned["backbone"]) == (1600, 0, False)
    losses = planned["losses"]
    assert (losses["progressive_start"], losses["progressive_every"]) == (20_000, 2_000)
    assert (losses["batch_size"], losses["identity"], losses["lpips"]) == (8, 0, 0.8)
    assert loss_networks == ["alex", "alex"]  # of the loss and of the scores
    scored = planned["snapshots"]
    assert (scored["metrics"], scored["metric_images"]) == ("pixel_rmse,lpips_alex", 64)
    assert f"checkpoints: {tmp_path / 'run' / 'checkpoints'}, every 4 kimg" in plan.said
    assert not (tmp_path / "run").exists()


def test_frozen_networks_are_looked_for_beforehand(plan, loss_networks):
    plan("--losses.lpips-net vgg --losses.identity 0.1")
    assert loss_networks == ["vgg", "arcface", "vgg"]
    del loss_networks[:]
    plan("--backbone irse50 --arcface --losses.lpips 0")
    assert loss_networks == ["arcface"]


def test_large_generators_get_the_published_backbone(plan):
    planned = plan("", size=512)["encoder"]
    assert (planned["img_resolution"], planned["rows"]) == (256, 16)
    assert planned["stages"] == STAGES["irse50"]
    assert plan("--backbone slim", size=512)["encoder"]["stages"] == STAGES["slim"]


@pytest.mark.slow
def test_a_dry_run_measures(aligned, family, tmp_path):
    line = "G --data D --run R --devices 1 --dry-run --space w --kimg 3 --batch 4"
    result = aligned(*words_of(family, tmp_path / "run", line), *SMALL)
    assert (result.code, result.err) == (0, "")
    for text in (
        "trainable parameters: E ",
        "devices: 1 x cpu, 4 images a batch",
        "GiB by the compiler's count",
        " img/s, ",
        "3 kimg would take ",
        f"checkpoints: {tmp_path / 'run' / 'checkpoints'}",
    ):
        assert text in result.out
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_of_one_iteration(aligned, family, tmp_path):
    line = "G --data D --run R --devices 1 --kimg 1 --batch 1000 --space w"
    result = aligned(*words_of(family, tmp_path / "run", line), *SMALL)
    assert result.code == 0, result.err
    assert f"{tmp_path / 'run'} is trained: 1 kimg" in result.out
    encoder = aj.load_encoder(tmp_path / "run", aj.load(family / "G32"))
    assert encoder.space == "w" and encoder.config.stages[0] == (4, 1)
    assert encoder.provenance["generator"]["network"] == str(family / "G32")
    (line,) = RunFolder(tmp_path / "run").read_stats()
    assert 0 < line["scores"]["pixel_rmse"] < 2
    svg = (tmp_path / "run" / "scores-pixel_rmse.svg").read_text("utf-8")
    assert "pixel_rmse of the encoder" in svg
    best = aj.load_encoder(tmp_path / "run" / "checkpoints" / "best", aj.load(family / "G32"))
    assert best.provenance["score"] == line["scores"]["pixel_rmse"]
    assert best.provenance["details"]["split"] == "test"


@pytest.mark.slow
def test_rows_that_never_begin_are_told(ok, plan, family, tmp_path, monkeypatch):
    from aligned_jax.runs import loop

    said = "only 3 of 8 rows of w+ begin within the run's 1000 iterations"
    monkeypatch.setattr(loop, "train", lambda run, state, bookkeeping: None)
    untrained = SimpleNamespace(images_seen=0, step=0)
    monkeypatch.setattr(EncoderTask, "created", lambda self, sources: untrained)
    schedule = "--losses.progressive-start 900 --losses.progressive-every 60 --losses.adversarial 0"
    line = f"G --data D --run R --devices 1 --kimg 4 --batch 4 {schedule}"
    assert said in ok(*words_of(family, tmp_path / "run", line), *SMALL)
    assert "rows of w+ begin" not in ok(
        *words_of(family, tmp_path / "all", line.replace("900", "500")), *SMALL
    )


def test_options_are_listed(ok, family, tmp_path):
    text = ok(*words_of(family, tmp_path / "run", "G --data D --run R --options --losses.l2 7"))
    assert "--losses.l2 FLOAT" in text and "(default: 7.0)" in text


_IDLE = {
    "--space w --losses.progressive-start 5 --losses.pool-size 3 --losses.r1-gamma 3": (
        "progressive_start is 5, but an encoder to w without deltas",
        "pool_size is 3, but a run without the adversarial loss",
        "r1_gamma is 3.0, but a run without the adversarial loss has no use for it: give 10.0",
    ),
    "--plain-rows --losses.progressive-start 3 --losses.d-reg-interval 3": (
        "progressive_start is 3, but an encoder to w+ without deltas",
        "d_reg_interval is 3, but a run without R1",
    ),
    "--losses.lpips-net vgg --losses.lpips 0": ("lpips_net is vgg, but a run without LPIPS",),
    "--losses.l2 0 --losses.lpips 0 --losses.adversarial 0 --losses.delta-norm 0": (
        "are all 0; without a loss nothing is learnt",
    ),
}
LINES = {f"G --data D --run R {options}": said for options, said in _IDLE.items()} | {
    "nowhere --data D --run R": ("nowhere",),
    "G --data nowhere --run R": ("nowhere",),
    "G --run R": ("the following arguments are required: --data",),
    "G16 --data D16 --run R": ("G16 draws 16 pixels; encoders begin at 32 pixels",),
    "G --data D16 --run R": ("generator.img_resolution is 32, the data have 16",),
    "G --data D --run R --space v": ("invalid choice: 'v'",),
    "G --data D --run R --space w --plain-rows": ("--plain-rows is about w+; --space is w",),
    "G --data D --run R --backbone vgg": ("invalid choice: 'vgg'",),
    "G --data D --run R --arcface": ("ArcFace is an IR-SE50", "--backbone irse50"),
    "G --data D --run R --kimg 0": ("kimg is 0; it must be at least 1",),
    "G --data D --run R --batch 0": ("--batch is 0",),
    "G --data D --run R --seed -1": ("seed is -1",),
    "G --data D --run R --devices 99": ("--devices is 99; this machine has",),
    "G --data D --run R --losses.l3 1": ("--losses.l3",),
    "G --data D --run R --losses.batch-size 4": ("use --batch",),
    "G --data D --run R --generator.w-dim 7": ("generator is that of NETWORK",),
    "G --data D --run R --encoder.rows 9": ("rows 9 in the encoder, 8 in the generator",),
    "G --data D --run R --snapshots.metrics fd_vgg": (
        "metrics has fd_vgg; scores of encoders are",
    ),
}


@pytest.mark.parametrize("dry", ["", " --dry-run"])
@pytest.mark.parametrize("line", LINES)
def test_bad_input(refused, family, loss_networks, tmp_path, line, dry):
    message = refused(*words_of(family, tmp_path / "run", line + dry))
    for part in LINES[line]:
        assert part in message
    assert not (tmp_path / "run" / "config.json").exists()
