"""Files of latents: an .npz with z, ws or styles, checked before anything is drawn."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aligned_jax.config import GeneratorConfig
from aligned_jax.errors import UserError
from aligned_jax.latents import style_layers

_KINDS = "z [N, D] or [N, L, D], or ws [N, L, D], or styles/<layer> [N, C] of every layer"


def read_latents(path: str | Path, config: GeneratorConfig) -> dict[str, np.ndarray]:
    """Arrays of a file of latents as float32, for a network of these sizes.

    The file holds exactly one of `z` [N, z_dim] or [N, L, z_dim], `ws`
    [N, L, w_dim], and `styles/<layer>` [N, C] for every layer; and labels `c`
    [N, c_dim] if it likes.

    Raises:
      UserError: if the file cannot be read, or naming everything in it that does not fit.
    """
    path = Path(path)
    arrays, problems = _read(path)
    shapes = _shapes(config)
    known = {key: value for key, value in arrays.items() if key in shapes}
    kinds = sorted({key.partition("/")[0] for key in known} - {"c"})
    problems += [f"{key} is unknown" for key in arrays if key not in shapes]
    if not kinds and not problems:
        problems.append("it holds no latents")
    if len(kinds) > 1:
        problems.append(f"it holds {' and '.join(kinds)}; keep one of them")
    if "styles" in kinds:
        problems += [f"{key} is missing" for key in shapes if "/" in key and key not in arrays]
    for key, value in known.items():
        problems += _value_problems(key, value, shapes[key])
    counts = {key: value.shape[0] for key, value in known.items() if value.ndim}
    if len(set(counts.values())) > 1:
        problems.append(f"the numbers of rows differ: {_joined(counts)}")
    elif 0 in counts.values():
        problems.append("it has no rows")
    if problems:
        more = f"; and {len(problems) - 8} more" if len(problems) > 8 else ""
        raise UserError(
            f"{path} does not fit this network: {'; '.join(problems[:8])}{more}. A file of "
            f"latents holds {_KINDS}; and labels c [N, K] if there are any"
        )
    return {key: value.astype(np.float32) for key, value in known.items()}


def _read(path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """All arrays of an .npz, and a line for each that cannot be read."""
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.lib.npyio.NpzFile):
                return _read_arrays(content)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no .npz file: {str(error).splitlines()[0]}") from None
    raise UserError(f"{path} is a single array; write an .npz with np.savez(path, z=...)")


def _read_arrays(content: np.lib.npyio.NpzFile) -> tuple[dict[str, np.ndarray], list[str]]:
    arrays, problems = {}, []
    for key in content.files:
        try:
            arrays[key] = np.asarray(content[key])
        except ValueError:
            problems.append(f"{key} holds pickled objects, or is damaged")
        except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
            problems.append(f"{key} is damaged ({error})")
    return arrays, problems


def _shapes(config: GeneratorConfig) -> dict[str, list[tuple[int, ...]]]:
    """Shapes that each key may have, without the number of rows."""
    rows = config.num_ws
    shapes = {
        "z": [(config.z_dim,), (rows, config.z_dim)],
        "ws": [(rows, config.w_dim)],
        "c": [(config.c_dim,)],
    }
    return shapes | {f"styles/{layer.name}": [(layer.channels,)] for layer in style_layers(config)}


def _value_problems(key: str, value: np.ndarray, shapes: list[tuple[int, ...]]) -> list[str]:
    if value.shape[1:] not in shapes or value.ndim == 0:
        expected = " or ".join(f"[N, {', '.join(map(str, shape))}]" for shape in shapes)
        return [f"{key} has shape {list(value.shape)}, expected {expected}"]
    if not np.issubdtype(value.dtype, np.floating):
        return [f"{key} holds {value.dtype}, expected floating-point numbers"]
    # Beyond the range of float32 counts as infinite: that is what would be drawn.
    with np.errstate(over="ignore"):
        finite = np.isfinite(value.astype(np.float32)).all()
    return [] if finite else [f"{key} holds values that are not finite"]


def _joined(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{key} {count}" for key, count in counts.items())
