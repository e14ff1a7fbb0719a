"""Files of the Hub, by way of huggingface_hub's cache: what is there is not fetched again."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aligned_jax.errors import UserError
from aligned_jax.hub.address import HubAddress
from aligned_jax.hub.service import explained, package, unreachable
from aligned_jax.utils.text import listed

# Files that may hold a network; those of the first kind that a repository has are candidates.
_KINDS = ((".safetensors",), (".pkl", ".pt", ".pth"))


@dataclass(frozen=True)
class Downloaded:
    """A file of the Hub on this machine.

    Attributes:
      path: in the cache.
      address: of the file, with the revision that was asked for.
      commit: that the revision stood for, 40 hexadecimal digits.
    """

    path: Path
    address: HubAddress
    commit: str

    @property
    def pinned(self) -> HubAddress:
        """The address that means the same file for ever."""
        return self.address.at(str(self.address.file), self.commit)


def fetch(address: HubAddress) -> Downloaded:
    """The file of an address; without a file in it, the only network of the repository.

    Of several files, .safetensors come before .pkl and .pt. Where the Hub does not answer, or
    HF_HUB_OFFLINE is set, files that were downloaded earlier stand for the repository. A file
    appears in the cache when all of it is there. Progress is shown on a terminal.

    Raises:
      UserError: naming the candidates if there is not exactly one; if there is no such
        repository, revision or file, or no permission; if the Hub does not answer and the file
        is not cached; or if the extra is not installed.
    """
    hub = package()
    with explained(address):
        found = address.at(address.file or _only_network(address), address.revision)
    with explained(found):
        try:
            path = hub.hf_hub_download(found.repository, found.file, revision=found.revision)
        except hub.errors.LocalEntryNotFoundError:
            raise
        except hub.errors.EntryNotFoundError:
            there = _candidates(_files(found))
            raise UserError(
                f"hf://{found.repository} has no file {found.file}; networks there: "
                f"{listed(there) or 'none'}"
            ) from None
    # .../snapshots/COMMIT/path/of/the/file
    return Downloaded(Path(path), found, Path(path).parts[-1 - len(_parts(found))])


def _only_network(address: HubAddress) -> str:
    names = _candidates(_files(address))
    if not names:
        raise UserError(
            f"{address} has no network: no .safetensors, .pkl or .pt file is in the repository"
        )
    if len(names) > 1:
        raise UserError(
            f"{address} has several networks: {listed(names)}; name one, such as "
            f"{address.at(names[0], address.revision)}"
        )
    return names[0]


def _candidates(files: list[str]) -> list[str]:
    for endings in _KINDS:
        if names := sorted(name for name in files if name.endswith(endings)):
            return names
    return []


def _files(address: HubAddress) -> list[str]:
    """Paths of the files of a revision, as the Hub says, or else as far as they are cached."""
    hub = package()
    try:
        info = hub.HfApi().model_info(address.repository, revision=address.revision)
    except Exception as error:
        cached = _cached_files(address) if unreachable(error) else []
        if not cached:
            raise
        return cached
    return [entry.rfilename for entry in info.siblings or ()]


def _cached_files(address: HubAddress) -> list[str]:
    """Paths of the files of a revision that are in the cache; none if there is no cache."""
    hub = package()
    wanted = address.revision or "main"
    try:
        repositories = hub.scan_cache_dir(hub.constants.HF_HUB_CACHE).repos
    except hub.errors.CacheNotFound:
        return []
    return [
        file.file_path.relative_to(revision.snapshot_path).as_posix()
        for repository in repositories
        if repository.repo_type == "model" and repository.repo_id == address.repository
        for revision in repository.revisions
        if wanted in (*revision.refs, revision.commit_hash)
        for file in revision.files
    ]


def _parts(address: HubAddress) -> tuple[str, ...]:
    return PurePosixPath(str(address.file)).parts
