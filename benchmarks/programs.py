"""Programs of the library at a preset's sizes, given by shapes alone: to compile, not to run.

Training phases and an encoder's iteration are what runs on every device of a training; the others
are what one device runs.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.sharding import AbstractMesh, Mesh, NamedSharding, PartitionSpec

from aligned_jax.config import AnyConfig, GeneratorConfig
from aligned_jax.data.options import DataOptions
from aligned_jax.features import networks
from aligned_jax.features.extractor import Extractor, Lpips
from aligned_jax.inversion import Settings, steps
from aligned_jax.networks import variable_shapes
from aligned_jax.networks.network import Network
from aligned_jax.runs import encoder_run, presets
from aligned_jax.runs.config import TrainConfig
from aligned_jax.runs.tasks.gan import GanTask
from aligned_jax.training import encoder_step, gan_step, parallel
from aligned_jax.training.draws import TERMS
from aligned_jax.training.encoder_state import EncoderRecipe, Frozen, create_encoder_state
from aligned_jax.training.terms import Batch
from aligned_jax.types import PyTree

PHASES = TERMS  # each a phase of its own, as presets train
ALONE = ("generate", "invert", "features")
NAMES = (*PHASES, "encode", *ALONE)
# Sides of pictures that presets are made for; `stylegan2` is published at the largest.
RESOLUTIONS = {"paper256": 256, "paper512": 512, "paper1024": 1024, "stylegan2": 1024}
ROWS = 8  # images of a device, where no preset says how many
_EXTRACTED = 16  # images of a batch whose features are taken
_STEPS = 10  # of an inversion, in one loop
_PSI = 0.7


@dataclass(frozen=True)
class Program:
    """A function and the shapes of what a device gives it.

    Attributes:
      name: in `NAMES`.
      body: what a device computes.
      inputs: shapes and types of its arguments, on one device.
      rows: images that a device works on at a time.
      rounds: how often it does so for one result, in a compiled loop.
      shared: whether all devices run it together, and exchange something.
      donated: arguments whose memory is given away.
    """

    name: str
    body: Callable[..., Any]
    inputs: tuple[PyTree, ...]
    rows: int
    rounds: int = 1
    shared: bool = False
    donated: tuple[int, ...] = ()

    def lower(self, devices: Sequence[Any]) -> jax.stages.Lowered:
        """For these devices, of which it uses one if it is not shared; present or not."""
        if self.shared:
            mesh = Mesh(np.array(devices), (parallel.AXIS,))
            spread = NamedSharding(mesh, PartitionSpec(parallel.AXIS))
            inputs = _placed(self.inputs, spread, (len(devices),))
            run: Any = parallel.on_each_device(self.body, devices)
            return run.lower(*inputs)
        one = NamedSharding(Mesh(np.array(devices[:1]), ("one",)), PartitionSpec())
        jitted = jax.jit(self.body, donate_argnums=self.donated)
        return jitted.lower(*_placed(self.inputs, one))

    def on_mesh(self, mesh: Mesh | AbstractMesh) -> Callable[..., Any]:
        """The function of arguments of all devices of a mesh with the one axis "batch".

        Where a program is shared its arguments, and results, have a leading axis of devices, as
        with `jax.pmap`.
        """
        if not self.shared:
            return self.body

        def each(*args: PyTree) -> PyTree:
            result = self.body(*jax.tree.map(lambda v: v[0], args))
            return jax.tree.map(lambda v: jnp.asarray(v)[None], result)

        spec = PartitionSpec(parallel.AXIS)
        return jax.shard_map(each, mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)

    def exported(self, mesh: Mesh, platform: str) -> export.Exported:
        """Lowered for a platform such as "cuda", on as many of its devices as the mesh has."""
        inputs = _placed(self.inputs, None, (mesh.size,) if self.shared else ())
        jitted = jax.jit(self.on_mesh(mesh), donate_argnums=self.donated)
        return export.export(jitted, platforms=[platform])(*inputs)

    def jaxpr(self, devices: int) -> Any:
        """The program as it is traced for so many devices."""
        mesh = AbstractMesh((devices,), (parallel.AXIS,))
        inputs = _placed(self.inputs, None, (devices,) if self.shared else ())
        return jax.make_jaxpr(self.on_mesh(mesh))(*inputs)


def config_of(preset: str, devices: int, augment: str | None = None) -> TrainConfig:
    """The config of a training by a preset, as it is settled on accelerators.

    The batch is the preset's, or what gives every device the most that the preset lets it
    work on at a time, if that is more.
    """
    share, own = presets.find(preset).share or ROWS, presets.find(preset).batch or ROWS
    sizes = presets.Sizes(RESOLUTIONS[preset])
    batch = max(own, share * devices)
    config = presets.config_of(preset, DataOptions("-"), sizes, batch, augment, devices)
    gan = dataclasses.replace(config.gan, half="bfloat16")
    return dataclasses.replace(config, gan=gan)


def program(name: str, config: TrainConfig, devices: int) -> Program:
    """The program of a name in `NAMES` for a training's networks on so many devices."""
    if name in PHASES:
        return phase(name, config, devices)
    if name == "encode":
        return encoder_iteration(config.generator, devices)
    made = {"generate": generation, "invert": inversion, "features": extraction}
    return made[name](config.generator)


def phase(name: str, config: TrainConfig, devices: int) -> Program:
    """One update of one network, on each device."""
    task, rows = GanTask(config), config.gan.batch_size // devices
    state = jax.eval_shape(lambda: task.create(None))
    body = gan_step.bodies(task.recipe())[name]
    each = config.gan.rounds
    inputs = (state, batch_shapes(config.generator, rows))
    return Program(name, body, inputs, rows // each, each, shared=True, donated=(0,))


def encoder_iteration(generator: GeneratorConfig, devices: int, rows: int = ROWS) -> Program:
    """An iteration of the training of an encoder by the published losses, without ArcFace."""
    encoder = encoder_run.encoder_sizes("-", generator)
    losses = encoder_run.encoder_losses(encoder, encoder_run.KIMG, rows * devices)
    recipe = EncoderRecipe(generator, encoder, losses)
    frozen = Frozen(variable_shapes(generator), lpips_shapes(losses.lpips_net))
    state = jax.eval_shape(lambda g: create_encoder_state(recipe, g), frozen.G)

    def body(state: PyTree, frozen: Frozen, batch: Batch) -> PyTree:
        return encoder_step.run_iteration(recipe, state, frozen, batch)

    inputs = (state, frozen, batch_shapes(generator, rows))
    return Program("encode", body, inputs, rows, shared=True, donated=(0,))


def generation(generator: GeneratorConfig, rows: int = ROWS) -> Program:
    """Images in bfloat16, of latents and with the stored noise."""
    z = _shape(rows, generator.z_dim)
    network = Network(generator, variable_shapes(generator))
    return Program(
        "generate", lambda network, z: network(z, psi=_PSI, half="bfloat16"), (network, z), rows
    )


def inversion(generator: GeneratorConfig, rows: int = ROWS, net: str = "vgg") -> Program:
    """Steps of an inversion with LPIPS, in one loop, with the default settings."""
    settings = Settings()
    network = Network(generator, variable_shapes(generator))
    options = steps.StepOptions.of(settings, network)
    side, lpips = min(generator.img_resolution, settings.resolution), lpips_shapes(net)
    goal = jax.eval_shape(lambda lpips, x: lpips.embed(x), lpips, _shape(rows, side, side, 3))
    spread = _shape(generator.w_dim)
    problem = steps.Problem(network, lpips, goal, None, spread, _shape())
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 1))
    start = _shape(rows, generator.w_dim)
    state = jax.eval_shape(lambda p, x, k: steps.begin(p, options, x, k, 0.0), problem, start, keys)
    schedule = {
        "step": _shape(_STEPS, dtype=jnp.uint32),
        "learning_rate": _shape(_STEPS),
        "latent_noise": _shape(_STEPS),
    }

    def body(problem: Any, state: Any, keys: Any, schedule: Any) -> PyTree:
        return steps.advance(problem, options, state, keys, schedule)

    inputs = (problem, state, keys, schedule)
    return Program("invert", body, inputs, rows, _STEPS, donated=(1,))


def extraction(generator: GeneratorConfig, rows: int = _EXTRACTED) -> Program:
    """Features of VGG-16 and the maps of LPIPS, which scores are computed from."""
    size = generator.img_resolution
    vgg = Extractor("vgg16", frozen_shapes("vgg16"), "")

    def body(vgg: Extractor, lpips: Lpips, images: jax.Array) -> PyTree:
        return vgg(images), lpips.embed(images / 127.5 - 1)

    inputs = (vgg, lpips_shapes("vgg"), _shape(rows, size, size, 3))
    return Program("features", body, inputs, rows)


def batch_shapes(config: AnyConfig, rows: int) -> Batch:
    """So many rows of a batch, as a device holds them."""
    size, c_dim = config.img_resolution, getattr(config, "c_dim", 0)
    images = _shape(rows, size, size, config.img_channels, dtype=jnp.uint8)
    labels = _shape(rows, c_dim), _shape(rows, 3, c_dim)
    return Batch(images, _shape(rows, dtype=jnp.int32), *labels)


def lpips_shapes(net: str) -> Lpips:
    """LPIPS with shapes in place of its weights."""
    return Lpips(f"lpips_{net}", frozen_shapes(f"lpips_{net}"), "")


def frozen_shapes(name: str) -> PyTree:
    """Variables of a frozen network, as shapes."""
    arrays = {key: _shape(*shape) for key, shape in networks.shapes(name).items()}
    return networks.tree(name, arrays)


def _shape(*shape: int, dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)


def _placed(tree: PyTree, sharding: Any, lead: tuple[int, ...] = ()) -> PyTree:
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct((*lead, *leaf.shape), leaf.dtype, sharding=sharding), tree
    )
