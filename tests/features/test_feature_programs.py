"""Programs in the place of weights: what is said of the likeliest mistake."""

import pytest

from aligned_jax.errors import FormatError
from aligned_jax.features import files


@pytest.mark.slow
def test_a_program_with_other_names_is_called_that(monkeypatch):
    name = "inception-2015-12-05.pt"
    monkeypatch.setattr(files, "read_tensors", lambda path: ({"layers.conv": 0}, "torch-script"))
    with pytest.raises(
        FormatError, match=f"{name}: a TorchScript program with other names"
    ) as said:
        files.read_weights(name)
    assert "pt_inception-2015-12-05-6726825d.pth" in str(said.value)
    monkeypatch.setattr(files, "read_tensors", lambda path: ({"layers.conv": 0}, "torch-zip"))
    with pytest.raises(FormatError) as said:
        files.read_weights(name)
    assert "a TorchScript program with" not in str(said.value)
