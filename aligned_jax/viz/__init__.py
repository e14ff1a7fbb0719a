"""Pictures, charts and pages, and writing them so that no half file is ever seen."""

from aligned_jax.viz.curves import curves, spark
from aligned_jax.viz.files import (
    check_file,
    check_folder,
    record_file,
    try_folder,
    write_record,
    writing,
    writing_folder,
)
from aligned_jax.viz.frames import FrameStream, Sound
from aligned_jax.viz.grid import (
    as_pixels,
    check_channels,
    figure,
    png_bytes,
    save_png,
    spread,
    tile,
    to_uint8,
)
from aligned_jax.viz.heatmap import heatmap
from aligned_jax.viz.sheet import Sheet
from aligned_jax.viz.showing import ShownPictures, show
from aligned_jax.viz.video import check_video, is_frame_folder, loss_of, save_video
from aligned_jax.viz.webp import save_webp

__all__ = [
    "FrameStream",
    "Sheet",
    "ShownPictures",
    "Sound",
    "as_pixels",
    "check_channels",
    "check_file",
    "check_folder",
    "check_video",
    "curves",
    "figure",
    "heatmap",
    "is_frame_folder",
    "loss_of",
    "png_bytes",
    "record_file",
    "save_png",
    "save_video",
    "save_webp",
    "show",
    "spark",
    "spread",
    "tile",
    "to_uint8",
    "try_folder",
    "write_record",
    "writing",
    "writing_folder",
]
