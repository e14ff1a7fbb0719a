"""The Hugging Face Hub: networks come from it, hf://owner/name, and are published there."""

from aligned_jax.hub.address import SCHEME, HubAddress, check_source, is_hub
from aligned_jax.hub.download import Downloaded, fetch
from aligned_jax.hub.upload import HubFolder, upload

__all__ = [
    "SCHEME",
    "Downloaded",
    "HubAddress",
    "HubFolder",
    "check_source",
    "fetch",
    "is_hub",
    "upload",
]
