"""The package that speaks to the Hub, and what its mishaps mean to people."""

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

from aligned_jax.errors import UserError
from aligned_jax.hub.address import HubAddress
from aligned_jax.utils.text import said

_LOG_IN = "log in by `hf auth login`, or set HF_TOKEN"


def package() -> Any:
    """huggingface_hub.

    Raises:
      UserError: if the extra is not installed.
    """
    try:
        import huggingface_hub
    except ImportError:
        raise UserError(
            "addresses hf://... need the package huggingface_hub: pip install 'aligned_jax[hub]'"
        ) from None
    return huggingface_hub


@contextlib.contextmanager
def explained(address: HubAddress, doing: str = "read") -> Iterator[None]:
    """A block of calls to the Hub, whose mishaps become sentences.

    Args:
      address: what the calls are about.
      doing: what would have been done with it, "read" or "written".

    Raises:
      UserError: saying what is wrong, and what would work.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # its own kinds, those of the HTTP library, and the disk's
        raise UserError(_sentence(address, error, doing)) from error


def unreachable(error: Exception) -> bool:
    """Whether the Hub did not answer, or may not be asked: what is cached may help then."""
    from huggingface_hub import errors

    if isinstance(error, errors.HfHubHTTPError):
        return _status(error) >= 500
    return isinstance(error, errors.OfflineModeIsEnabled) or _of_transport(error)


def _sentence(address: HubAddress, error: Exception, doing: str) -> str:
    from huggingface_hub import errors

    where = f"hf://{address.repository}"
    if isinstance(error, errors.GatedRepoError):
        return (
            f"{where} is gated, and you have no access: ask for it on the repository's page, "
            f"then {_LOG_IN}"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{where}: there is no such repository, or it is private; in that case {_LOG_IN}"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{where} has no revision {address.revision or 'main'}; leave out @, or give another"
    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        if doing != "read":
            return f"{where} was not {doing}: the Hub cannot be asked while HF_HUB_OFFLINE is set"
        return f"{address} is not among the files that were downloaded, and the Hub cannot be asked"
    if isinstance(error, errors.EntryNotFoundError):
        return f"{where} has no file {address.file}"
    if _status(error) in (401, 403):
        return f"{where} may not be {doing} by you: {_LOG_IN}, with a token that allows it"
    if isinstance(error, errors.HfHubHTTPError):
        return f"{where} was not {doing}: the Hub answers {_status(error)}; try again later"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"{where} was not {doing}: {error.strerror}"
    if _of_transport(error):
        return f"{where} was not {doing}: the Hub cannot be reached ({said(error)})"
    return f"{where} was not {doing}: {said(error) or type(error).__name__}; try again"


def _status(error: Exception) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)


def _of_transport(error: Exception) -> bool:
    """Whether the connection failed, as the HTTP library of whatever release calls it."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"TransportError", "ConnectionError", "TimeoutException"})
