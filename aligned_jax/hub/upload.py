"""Files to the Hub: all of them in one commit, or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aligned_jax.errors import UserError
from aligned_jax.hub.address import HubAddress
from aligned_jax.hub.service import explained, package
from aligned_jax.utils.text import listed


@dataclass(frozen=True)
class HubFolder:
    """What is known of a repository before anything is sent to it.

    Attributes:
      repository: "owner/name".
      exists: whether there is one already that can be seen.
      private: whether only its owners see it; False for one that is not there.
      files: what it holds.
      commit: its latest; None for one that is not there.
    """

    repository: str
    exists: bool
    private: bool = False
    files: tuple[str, ...] = ()
    commit: str | None = None

    @classmethod
    def look(cls, repository: str) -> "HubFolder":
        """Asks the Hub.

        Raises:
          UserError: if it does not answer or refuses, or the extra is not installed.
        """
        hub = package()
        with explained(HubAddress(repository), "written"):
            try:
                info = hub.HfApi().model_info(repository)
            except hub.errors.GatedRepoError:
                raise
            except hub.errors.RepositoryNotFoundError:
                return cls(repository, exists=False)
        files = tuple(entry.rfilename for entry in info.siblings or ())
        return cls(repository, True, bool(info.private), files, info.sha)

    def check(self, names: list[str], private: bool, overwrite: bool) -> None:
        """Raises UserError if files of these names may not be sent there."""
        if private and self.exists and not self.private:
            raise UserError(
                f"hf://{self.repository} is there already and public; make it private in its "
                "settings first, or give a new name"
            )
        taken = sorted(set(names) & set(self.files))
        if taken and not overwrite:
            raise UserError(
                f"hf://{self.repository} has {listed(taken)} already; choose another name or pass "
                "`overwrite=True`"
            )


def upload(
    folder: HubFolder, files: Mapping[str, Path], message: str, private: bool = False
) -> str:
    """Sends files to a repository, which is made if there is none, in one commit.

    Args:
      folder: as it was when it was looked at: if somebody has written to it since, nothing is
        sent.
      files: by path in the repository.
      message: of the commit.
      private: of a repository that is made.

    Returns:
      the commit, 40 hexadecimal digits.

    Raises:
      UserError: if the Hub refuses or does not answer.
    """
    hub = package()
    api = hub.HfApi()
    with explained(HubAddress(folder.repository), "written"):
        if not folder.exists:
            api.create_repo(folder.repository, private=private, exist_ok=False)
        commit = api.create_commit(
            folder.repository,
            [hub.CommitOperationAdd(name, str(path)) for name, path in files.items()],
            commit_message=message,
            parent_commit=folder.commit,
        )
    return str(commit.oid)
