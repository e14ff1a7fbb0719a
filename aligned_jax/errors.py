"""The one exception family that people, rather than programmers, can mend."""


class UserError(ValueError):
    """Bad input that its author can correct.

    The message is one sentence or a short list: what was given, what was
    expected, what to do. The command line prints it without a traceback and
    exits with code 2.
    """


class ConfigError(UserError):
    """Sizes that cannot describe a network, or that contradict each other."""


class FormatError(UserError):
    """A file that is damaged, unsafe, or of a kind this project does not read."""


class CheckpointError(UserError):
    """A folder that is no checkpoint, lacks an item, or cannot be written."""
