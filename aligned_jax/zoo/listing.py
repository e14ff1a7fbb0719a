"""What the zoo has, as it is written wherever such a thing is asked for."""

from aligned_jax.errors import UserError
from aligned_jax.jobs.named_directions import ZOO, zoo_directions
from aligned_jax.jobs.zoo_list import KINDS, zoo_list


def names(kind: str = "network") -> list[str]:
    """Names of what comes with the package, such as "zoo:personas64", sorted.

    Args:
      kind: "network" (generators, with their discriminators; `load`), "encoder" (`load_encoder`),
        "reader" (of attributes; a judge), "directions" (each of them, such as "zoo:roll"), or
        "CLIP". `jobs.zoo_list` says what each is.

    Raises:
      UserError: if there is no such kind.
    """
    if kind not in KINDS:
        raise UserError(f"there is no kind {kind!r:.80} in the zoo; there are {', '.join(KINDS)}")
    if kind == "directions":
        return [f"{ZOO}{name}" for name in zoo_directions()]
    return [f"{ZOO}{member.name}" for member in zoo_list().members if member.kind == kind]
