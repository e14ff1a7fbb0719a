"""How pictures are cut before they are inverted, as users say it."""

import dataclasses
import os

from aligned_jax.data.faces import Align, Detector, FaceTable, read_faces
from aligned_jax.errors import UserError
from aligned_jax.jobs.user_functions import imported_function

# "center", "none", F.json, FILE.py:FUNCTION or MODULE:FUNCTION; or what they stand for.
AlignWord = str | os.PathLike[str] | FaceTable | Detector
_PLAIN = ("center", "none")


def check_align(align: AlignWord) -> None:
    """Raises UserError unless a word has one of the forms; nothing is read."""
    if isinstance(align, FaceTable | Detector):
        return
    word = os.fspath(align)
    if word in _PLAIN or word.lower().endswith(".json") or ":" in word:
        return
    raise UserError(
        f"`align` is {word!r:.80}; it is center, none, a file of faces F.json, or a function that "
        "finds them, FILE.py:FUNCTION or MODULE:FUNCTION"
    )


def alignment_of(align: AlignWord) -> Align:
    """What a word stands for: files are read, and functions imported.

    Raises:
      UserError: for a word of another form, or what cannot be read or imported.
    """
    check_align(align)
    if isinstance(align, FaceTable | Detector):
        return align
    word = os.fspath(align)
    if word in _PLAIN:
        return word
    if word.lower().endswith(".json"):
        return read_faces(word)
    return Detector(imported_function(word), word)


def shared(align: AlignWord) -> AlignWord:
    """The same for pictures that are read apart: a table may name those of another reading."""
    known = alignment_of(align)
    return dataclasses.replace(known, others=True) if isinstance(known, FaceTable) else known


def align_name(align: AlignWord) -> str:
    """How results name it."""
    return align.where if isinstance(align, FaceTable | Detector) else os.fspath(align)
