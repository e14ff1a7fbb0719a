"""The ffmpeg of the extra `video`."""

from aligned_jax.errors import UserError

# Before an input: it may name no address, and no other file.
ONLY_FILES = ("-protocol_whitelist", "file,pipe")


def ffmpeg_program(what: str, instead: str) -> str:
    """Path of the program.

    Args:
      what: needs it, for the message.
      instead: what can be done without it.

    Raises:
      UserError: without the extra.
    """
    try:
        import imageio_ffmpeg
    except ImportError:
        raise UserError(
            f"{what} needs the extra `video` (pip install 'aligned_jax[video]'); "
            f"without it, {instead}"
        ) from None
    return imageio_ffmpeg.get_ffmpeg_exe()
