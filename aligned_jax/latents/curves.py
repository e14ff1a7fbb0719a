"""Curves through key frames, of latents and of numbers: straight, cubic, along great circles."""

import jax.numpy as jnp
import numpy as np

from aligned_jax.errors import UserError
from aligned_jax.latents.sampling import slerp
from aligned_jax.types import AnyArray

CURVES = ("linear", "cubic", "spherical")


class Curve:
    """A curve through N key frames, which it passes at 0, 1, ... N - 1, and passes exactly.

    A closed one goes on to the first key frame, which it reaches at N.

    Args:
      keys: float32 [N, ..., D], two or more.
      kind: "linear"; "cubic", a spline with continuous second derivatives, which are zero at the
        ends of an open curve; or "spherical", along great circles of the last axis.
      closed: whether it ends where it begins.

    Raises:
      UserError: for fewer than two key frames, or another kind.
    """

    def __init__(self, keys: AnyArray, kind: str = "cubic", closed: bool = True) -> None:
        self._keys = np.asarray(keys, np.float32)
        if len(self._keys) < 2:
            raise UserError(f"a curve goes through 2 or more key frames; it has {len(self._keys)}")
        if kind not in CURVES:
            raise UserError(f"no such curve: {kind!r:.40}; there are {', '.join(CURVES)}")
        self._kind, self._closed = kind, closed
        self._slopes = _slopes(self._keys, closed) if kind == "cubic" else None

    def at(self, places: AnyArray) -> np.ndarray:
        """Points of the curve, float32 [T, ..., D], at places [T] from 0 to its end."""
        places, count = np.asarray(places, np.float64), len(self._keys)
        near = np.clip(np.floor(places).astype(int), 0, count - 1 if self._closed else count - 2)
        far = (near + 1) % count
        t = (places - near).reshape(-1, *[1] * (self._keys.ndim - 1))
        a, b = self._keys[near], self._keys[far]
        if self._kind == "spherical":
            arc = np.asarray(slerp(jnp.asarray(a), jnp.asarray(b), jnp.asarray(t, jnp.float32)))
            return np.where(t == 0, a, np.where(t == 1, b, arc))
        if self._slopes is None:
            return ((1 - t) * a + t * b).astype(np.float32)
        # Hermite's form: values and slopes at both ends of a piece.
        s = 1 - t
        rise = s * self._slopes[near] - t * self._slopes[far]
        return (s * s * (1 + 2 * t) * a + t * t * (1 + 2 * s) * b + s * t * rise).astype(np.float32)


def great_circle(a: AnyArray, b: AnyArray, turns: AnyArray) -> np.ndarray:
    """Points of the great circle from `a` towards `b` and all the way round, float32 [T, D].

    It lies on the sphere of radius sqrt(D), on which standard normal latents are but for little:
    every point is as likely a latent of Z as any other. It begins in the direction of `a`, and
    after one turn it is there again.

    Args:
      a, b: [D], of any length but 0, and not parallel.
      turns: [T], share of the whole circle.

    Raises:
      UserError: if no circle goes through the two.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    first = first / max(float(np.linalg.norm(first)), 1e-30)
    across = second - (second @ first) * first
    length = float(np.linalg.norm(across))
    if length <= 1e-6 * float(np.linalg.norm(second)):
        raise UserError("the two latents of a circle are parallel; give two different seeds")
    angle = 2 * np.pi * np.asarray(turns, np.float64)[:, None]
    points = np.cos(angle) * first + np.sin(angle) * (across / length)
    return (np.sqrt(len(first)) * points).astype(np.float32)


def numbers_at(
    values: AnyArray, places: AnyArray, kind: str = "cubic", closed: bool = True
) -> np.ndarray:
    """Numbers along key frames, float64 [T]; at a key frame its value to the last bit.

    Args:
      values: at the key frames, [N], two or more.
      places: [T], from 0 to N - 1, or to N if the curve is closed.
      kind: "linear", or "cubic": smooth, and between two key frames never beyond their values
        (Fritsch and Carlson, "Monotone piecewise cubic interpolation"; the spline of latents would
        swing over).
      closed: whether it goes on from the last value to the first.
    """
    keys, places = np.asarray(values, np.float64), np.asarray(places, np.float64)
    count = len(keys)
    around = np.arange(-2, count + 3) if closed else np.arange(count)
    known = keys[around % count]
    if kind == "linear":
        found = np.interp(places, around, known)
    else:
        from scipy.interpolate import PchipInterpolator  # slow to import

        found = PchipInterpolator(around, known)(places)
    near = np.round(places).astype(int)
    return np.where(places == near, keys[near % count], found)


def _slopes(keys: np.ndarray, closed: bool) -> np.ndarray:
    """Slopes of a cubic spline at its key frames, float64 [N, ..., D].

    Second derivatives are continuous where m[k-1] + 4 m[k] + m[k+1] = 3 (y[k+1] - y[k-1]); at an
    open end they are zero where 2 m[0] + m[1] = 3 (y[1] - y[0]).
    """
    values = keys.astype(np.float64)
    eye = np.eye(len(keys))
    before, after = np.roll(eye, -1, axis=1), np.roll(eye, 1, axis=1)
    system, right = before + 4 * eye + after, 3 * (after - before)
    if not closed:
        first, second = eye[[0, -1]], eye[[1, -2]]
        system[[0, -1]] = 2 * first + second
        right[[0, -1]] = 3 * (second - first) * [[1], [-1]]
    slopes = np.linalg.solve(system, right) @ values.reshape(len(keys), -1)
    return slopes.reshape(keys.shape)
