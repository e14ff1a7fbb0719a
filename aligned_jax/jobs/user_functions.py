"""Functions of the user that a command line names: FILE.py:FUNCTION or MODULE:FUNCTION."""

import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

from aligned_jax.errors import UserError
from aligned_jax.utils.text import listed


def imported_function(text: str) -> Callable[..., Any]:
    """The function of that name; its file or module is imported and run.

    Raises:
      UserError: if the text has another form, or the file, module or function is not there.
    """
    module, separator, function = text.rpartition(":")
    if not (separator and module and function.isidentifier()):
        raise UserError(f"{text!r:.80} is no function; give FILE.py:FUNCTION or MODULE:FUNCTION")
    if module.endswith(".py") and not os.path.isfile(module):
        raise UserError(f"{module} is no file; give FILE.py:FUNCTION or MODULE:FUNCTION")
    try:
        loaded = _of_file(module) if module.endswith(".py") else importlib.import_module(module)
    except (Exception, SystemExit) as error:  # whatever the user's own code raises
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{module} cannot be imported: {type(error).__name__}: {reason}") from error
    found = getattr(loaded, function, None)
    if not callable(found):
        functions = listed(key for key, value in vars(loaded).items() if callable(value))
        raise UserError(f"{module} has no function {function}; it has {functions or 'none'}")
    return found


def _of_file(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("aligned_jax_user_functions", path)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
