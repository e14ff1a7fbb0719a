"""Names of networks on the Hugging Face Hub: hf://owner/name[/file][@revision]."""

import os
import re
from dataclasses import dataclass, replace

from aligned_jax.errors import UserError
from aligned_jax.utils.paths import is_remote

SCHEME = "hf://"
FORM = "hf://owner/name, hf://owner/name/FILE or hf://owner/name@REVISION"
_WORD = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9_])?", re.ASCII)
# What the Hub has besides repositories of models.
_OTHER_KINDS = ("datasets", "spaces", "models", "buckets")
_WEB = re.compile(
    r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(?P<repository>[^/?#]+/[^/?#]+)"
    r"(?:/(?:resolve|blob|tree)/(?P<revision>[^/?#]+)(?:/(?P<file>[^?#]+))?)?/?(?:[?#].*)?"
)
# With one slash they have been through a `pathlib.Path`.
_URL = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]+://|(?:https?|ftp|hf|gs|s3):/|[\w.-]+@[\w.-]+:(?!\d*$)", re.ASCII
)


@dataclass(frozen=True)
class HubAddress:
    """A file of a repository, or the only network of one.

    Attributes:
      repository: "owner/name".
      file: its path in the repository; None is the only network there.
      revision: a branch, a tag or a commit; None is the main branch.
    """

    repository: str
    file: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> "HubAddress":
        """The address that is written so.

        Raises:
          UserError: saying how addresses are written, if this is none.
        """
        place, at, revision = text.removeprefix(SCHEME).rpartition("@")
        if not at:
            place, revision = revision, ""
        owner, _, rest = place.partition("/")
        name, slash, file = rest.partition("/")
        if owner in _OTHER_KINDS:
            raise UserError(f"{text}: networks are in repositories of models; write {FORM}")
        parts = file.split("/")
        if (
            not all(_WORD.fullmatch(word) and ".." not in word for word in (owner, name))
            or (slash and any(part in ("", ".", "..") for part in parts))
            or "\\" in text
            or (at and not _is_revision(revision))
        ):
            raise UserError(f"{text:.200} is no address of a network; write {FORM}")
        return cls(f"{owner}/{name}", file or None, revision or None)

    def __str__(self) -> str:
        file, at = (f"/{self.file}" if self.file else ""), f"@{self.revision or ''}"
        return f"{SCHEME}{self.repository}{file}{at if self.revision else ''}"

    @property
    def name(self) -> str:
        """A short name: the file's without its ending if one is named, or the repository's."""
        stem = re.sub(r"\.(pkl|pt|pth|safetensors)$", "", (self.file or "").rpartition("/")[2])
        return stem if stem not in ("", "network") else self.repository.partition("/")[2]

    def at(self, file: str, revision: str | None) -> "HubAddress":
        """That of a file of the same repository."""
        return replace(self, file=file, revision=revision)


def is_hub(source: str | os.PathLike[str]) -> bool:
    """Whether a name is meant as an address on the Hub."""
    return os.fspath(source).startswith(SCHEME)


def check_source(source: str | os.PathLike[str]) -> None:
    """Raises UserError for addresses from which no network is read, saying what works instead."""
    text = os.fspath(source)
    if is_hub(text) or is_remote(text) or not _URL.match(text) or os.path.lexists(text):
        return
    way = (
        "download the file first and give its name, or give hf://owner/name of the Hugging Face Hub"
    )
    if re.match(r"(?:hf|gs|s3):/", text):
        way = "give the name as text, with two slashes"
    elif found := _WEB.fullmatch(text):
        repository, revision, file = found.group("repository", "revision", "file")
        way = f"give {HubAddress(repository, file, None if revision == 'main' else revision)}"
    raise UserError(f"{text:.200}: networks are not read from such an address; {way}")


def _is_revision(text: str) -> bool:
    return bool(re.fullmatch(r"[\w./+-]{1,200}", text, re.ASCII)) and ".." not in text
