"""Recognises networks that are not StyleGAN2, to refuse them by name.

Each family is told by names that no StyleGAN2 network has: of tensors, of
classes, or of the modules that a file mentions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aligned_jax.convert.files.inert import show
from aligned_jax.errors import FormatError
from aligned_jax.utils.text import listed

READABLE = (
    "Readable are StyleGAN2 pickles of stylegan2-ada-pytorch, stylegan3 (--cfg=stylegan2) and "
    "TensorFlow (configs E, F, ADA), .pt files of rosinality/stylegan2-pytorch, of the encoders "
    "pSp and e4e, and state dicts with official names"
)


@dataclass(frozen=True)
class ForeignFamily:
    """A kind of network, how it differs, and the names that give it away."""

    name: str
    reason: str
    tensors: str = ""  # searched in tensor names
    classes: str = ""  # matched with whole class names


_FAMILIES = (
    ForeignFamily(
        "StyleGAN-XL",
        "it grows a StyleGAN3 generator in stages",
        tensors=r"^mapping\.embed_proj\.",
        classes=r"Superres\w*",
    ),
    ForeignFamily(
        "Projected GAN / FastGAN",
        "its networks are built from other layers",
        tensors=r"^feature_network\.|\.mini_discs\.|^synthesis\.(init|to_big|feat_\d+|se_\d+)\.|"
        r"^(init|to_big|feat_\d+|se_\d+)\.",
        classes=r"Projected\w*|Fastgan\w*|FastGAN\w*",
    ),
    ForeignFamily(
        "StyleGAN3",
        "it has no blocks by resolution and filters its activations",
        tensors=r"\.magnitude_ema$|\.(up|down)_filter$|^synthesis\.input\.|"
        r"^synthesis\.L\d+_\d+_\d+\.",
        classes=r"SynthesisInput",
    ),
    ForeignFamily(
        "SWAGAN",
        "it works on wavelets instead of pixels",
        tensors=r"(^|\.)(iwt|dwt)\.",
        classes=r"(Inverse)?HaarTransform",
    ),
    ForeignFamily(
        "StyleGAN1",
        "it normalises activations (AdaIN) instead of modulating weights",
        tensors=r"^g_(mapping|synthesis)\.|^generator\.progression\.|(^|/)StyleMod/|"
        r"\.epi\d\.|\.adain\d?\.",
        classes=r"G_style|StyledGenerator",
    ),
    ForeignFamily(
        "StyleGAN2 of configs A to D",
        "it grows progressively, with an image layer for each level of detail",
        tensors=r"(^|/)(ToRGB|FromRGB)_lod0*[1-9]",
        classes=r"G_synthesis_stylegan(_revised)?|D_stylegan",
    ),
    ForeignFamily(
        "Progressive GAN (ProGAN)",
        "it has no style vectors",
        tensors=r"(^|/)(PixelNorm|Grow_lod\d)",
        classes=r"G_paper|D_paper",
    ),
    ForeignFamily(
        "a StyleGAN2 with attention layers",
        "attention is not part of StyleGAN2",
        tensors=r"(?i)(^|[./_])(self_?)?(attn|attention)|\.(to_qkv|to_q|to_k)\.",
        classes=r"(?i)\w*attention\w*",
    ),
)


def recognise(
    tensors: Iterable[str], classes: Iterable[str] = ()
) -> tuple[ForeignFamily, str] | None:
    """The foreign family that these names belong to and the first name that shows it."""
    tensors, classes = list(tensors), list(classes)
    for family in _FAMILIES:
        for name in tensors:
            if family.tensors and re.search(family.tensors, name):
                return family, name
        for name in classes:
            if family.classes and re.fullmatch(family.classes, name):
                return family, name
    return None


def refuse(where: str, tensors: Iterable[str], classes: Iterable[str] = ()) -> None:
    """Raises FormatError when these names belong to a foreign family."""
    foreign = recognise(tensors, classes)
    if foreign:
        family, name = foreign
        raise FormatError(
            f"{where} is {family.name} (it has {show(name)}), not StyleGAN2: {family.reason}. "
            f"{READABLE}"
        )


def refuse_unknown(names: Iterable[str], classes: Iterable[str] = ()) -> None:
    """Raises FormatError for a file that mentions foreign classes or functions.

    `names` are those, dotted; `classes` are the classes of the networks in the
    file, by which a known family is recognised.
    """
    names = list(names)
    refuse("the file", (), [*(name.rpartition(".")[2] for name in names), *classes])
    raise FormatError(
        f"it mentions {listed(names)}, which no StyleGAN2 checkpoint needs; such a file can run "
        "code when it is loaded elsewhere. Nothing was run"
    )
