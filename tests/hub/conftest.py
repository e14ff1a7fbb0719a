"""A Hub on this machine in place of the real one, and an empty cache."""

import pytest

from tests.hub.stub_hub import serving


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The memory of a server that huggingface_hub speaks to; nobody is logged in."""
    pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")
    from huggingface_hub import constants
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    with serving() as server:
        template = "{endpoint}/{repo_id}/resolve/{revision}/{filename}"
        template = template.replace("{endpoint}", server.endpoint)
        monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server
