"""The benchmark of feature networks runs them, as many images at a time as it says."""

import json

from benchmarks import metrics
from tests import standins


def test_extraction_is_timed(capsys, monkeypatch):
    standins.replace(monkeypatch)
    shapes = []

    def timed(run, repeats, warmup):
        shapes.append(run().shape)
        return 0.5

    monkeypatch.setattr(metrics, "median_seconds", timed)
    size = ["--images", "20", "--width", "30", "--metrics", "ppl"]
    metrics.main([*size, "--network", "vgg16", "--size", "16", "--batch", "3"])
    rows = json.loads(capsys.readouterr().out.strip().split("\n")[-1])
    assert shapes == [(3, 6)]
    assert rows["images_per_second"] == 3 / 0.5
    assert (rows["network"], rows["size"], rows["batch"]) == ("vgg16", 16, 3)
    metrics.main(size)
    assert "images_per_second" not in capsys.readouterr().out
