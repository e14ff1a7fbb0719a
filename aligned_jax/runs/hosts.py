"""How this process takes part in a run: threads, cache, devices, and the other hosts.

Nothing of it changes what a run computes. All hosts compute the same state; the
first one alone writes and speaks. A host that fails alone would leave the others
waiting in an exchange for ever. So whatever a host does by itself it does in a
block of `together`, at whose end all of them learn whether it went well. Inside,
hosts must not exchange anything.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aligned_jax.errors import UserError
from aligned_jax.utils.compile_cache import disable_cache, enable_cache

if TYPE_CHECKING:
    import jax

# So long the hosts wait for each other at the start.
PATIENCE = 300  # seconds
_MESSAGE = 1024  # bytes of an error's text that the other hosts are told


@dataclass(frozen=True)
class Session:
    """How this process takes part in a run.

    Attributes:
      threads: that read data ahead.
      cache: whether compiled programs are kept for the next process.
      tensorboard: whether RUN/tensorboard is written as well as stats.jsonl.
      wandb: whether Weights & Biases hears of the run as well.
      devices: use only the first so many devices of this machine; None takes all.
      distributed: "HOST:PORT,COUNT,INDEX" for one process of several, or "auto" to ask
        the TPU pod or the cluster; None is a process alone.
    """

    threads: int = 2
    cache: bool = True
    tensorboard: bool = False
    wandb: bool = False
    devices: int | None = None
    distributed: str | None = None

    def prepare(self) -> None:
        """Joins the other hosts and switches the cache on; before any other use of JAX.

        Raises:
          UserError: if the hosts cannot be joined as asked, or an extra is missing.
        """
        if self.threads < 1:
            raise UserError(f"`threads` is {self.threads}; it must be at least 1")
        if self.devices is not None and self.distributed:
            raise UserError(
                "`devices` and `distributed` exclude each other: hosts use all they have"
            )
        if self.tensorboard:
            tensorboard()
        if self.wandb:
            wandb()
        if self.distributed:
            join(self.distributed)
        if self.cache:
            enable_cache()
        else:
            disable_cache()

    def chosen_devices(self) -> "list[jax.Device] | None":
        """The devices that are asked for; None are all.

        Raises:
          UserError: if there are not so many.
        """
        if self.devices is None:
            return None
        import jax

        present = jax.local_devices()
        if not 1 <= self.devices <= len(present):
            raise UserError(f"`devices` is {self.devices}; this machine has {len(present)}")
        return present[: self.devices]

    def device_count(self) -> int:
        """How many devices share a batch, over all hosts; UserError as `chosen_devices`."""
        import jax

        chosen = self.chosen_devices()
        return jax.device_count() if chosen is None else len(chosen)


PLAIN = Session()  # all devices of this machine, by itself


def tensorboard() -> Any:
    """The class that writes TensorBoard files; UserError if the extra is not installed."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise UserError(
            "`tensorboard=True` needs tensorboardX: pip install 'aligned_jax[tensorboard]'"
        ) from None
    return SummaryWriter


def wandb() -> Any:
    """The package of Weights & Biases; UserError if the extra is not installed."""
    try:
        import wandb
    except ImportError:
        raise UserError("`wandb=True` needs wandb: pip install 'aligned_jax[wandb]'") from None
    return wandb


def join(where: str) -> None:
    """Makes this process one of several: "HOST:PORT,COUNT,INDEX", or "auto".

    Raises:
      UserError: if the words make no sense, or the hosts do not find each other
        within `PATIENCE`.
    """
    import jax

    place = None if where == "auto" else _place(where)
    # Its handler of SIGTERM would take the place of ours, and nobody asks it.
    jax.config.update("jax_enable_preemption_service", False)
    errors: list[Exception] = []

    def connect() -> None:
        try:
            patience = PATIENCE + 60
            if place is None:
                jax.distributed.initialize(initialization_timeout=patience)
            else:
                jax.distributed.initialize(*place, initialization_timeout=patience)
        except Exception as error:  # of many kinds, none of them documented
            errors.append(error)

    # JAX ends a process that waits too long for others; a thread leaves the last word to us.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        reason = f"they did not all come within {PATIENCE} seconds"
    elif errors:
        reason = (str(errors[0]).splitlines() or [type(errors[0]).__name__])[0]
    else:
        return
    advice = (
        "give `distributed='HOST:PORT,COUNT,INDEX'`"
        if place is None
        else f"{place[0]} must be an address of host 0 with a free port, the same for all hosts, "
        f"and all {place[1]} must be started"
    )
    raise UserError(f"the other hosts were not found: {reason}; {advice}")


def _place(where: str) -> tuple[str, int, int]:
    """(address, count, index) from what was typed."""
    address, *numbers = where.split(",")
    host, _, port = address.rpartition(":")
    if not (
        host
        and _is_number(port)
        and 0 < int(port) < 2**16
        and len(numbers) == 2
        and all(map(_is_number, numbers))
    ):
        raise UserError(f"`distributed` is {where!r}; it must be HOST:PORT,COUNT,INDEX")
    count, index = map(int, numbers)
    if index >= count:
        raise UserError(
            f"`distributed` is {where!r}: {count} hosts have the numbers 0 to {count - 1}, not "
            f"{index}"
            if count
            else f"`distributed` is {where!r}; the number of hosts must be at least 1"
        )
    return address, count, index


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def is_first() -> bool:
    """Whether this host is the one that writes and speaks."""
    import jax

    return jax.process_index() == 0


def gather(value: int) -> list[int]:
    """The numbers of all hosts, in their order; they wait for each other."""
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    if jax.process_count() == 1:
        return [value]
    return multihost_utils.process_allgather(np.int32(value)).tolist()


@contextlib.contextmanager
def together() -> Iterator[None]:
    """A block that ends for all hosts at once; if it fails on one of them, it fails on all.

    Raises:
      UserError: on a host whose block went well, if that of another did not.
    """
    try:
        yield
    except BaseException as error:
        agree(error)
    agree(None)


@contextlib.contextmanager
def entered(context: contextlib.AbstractContextManager) -> Iterator[Any]:
    """Enters a context that may fail on one host alone, as a lock does."""
    with contextlib.ExitStack() as stack:
        with together():
            value = stack.enter_context(context)
        yield value


def agree(error: BaseException | None) -> None:
    """Raises the error of this host; without one, UserError if another host has one.

    All hosts wait for each other; the UserError repeats the words of the other.
    """
    failed = gather(error is not None)
    words = _words(error) if any(failed) else []
    if error is not None:
        raise error
    if words:
        number = failed.index(1)
        raise UserError(f"another host, number {number}, stopped: {words[number]}")


def _words(error: BaseException | None) -> list[str]:
    """What the errors of all hosts say, as far as it is exchanged."""
    import numpy as np
    from jax.experimental import multihost_utils

    text = "" if error is None else str(error) if isinstance(error, UserError) else repr(error)
    raw = text.encode(errors="backslashreplace")[:_MESSAGE].ljust(_MESSAGE, b"\0")
    rows = multihost_utils.process_allgather(np.frombuffer(raw, np.uint8))
    return [bytes(row).rstrip(b"\0").decode(errors="replace") for row in rows]
