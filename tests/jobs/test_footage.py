"""Films, edited and translated frame by frame."""

import functools
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from aligned_jax import jobs, viz
from aligned_jax.data.footage import open_footage
from aligned_jax.data.placements import of_box
from aligned_jax.errors import UserError
from aligned_jax.jobs.footage import inverting
from aligned_jax.provenance import Command
from aligned_jax.semantics import Direction
from aligned_jax.tools.main import main
from tests.data.test_footages import ffmpeg
from tests.jobs.small_inputs import PARENT, aligned, frames_of

COUNT, BOX = 11, (4, 6, 20, 22)
HOW = {"steps": 2, "perceptual": "none", "pixels": 1.0}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """film/, frames in which a square trembles; still/, the first again and again; film.json, its
    box in both; w.npz, a direction."""
    folder = tmp_path_factory.mktemp("place")
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (1, 30, 40, 3), dtype=np.uint8).repeat(COUNT, axis=0)
    left, top, right, bottom = BOX
    tremble = random.integers(-25, 26, (COUNT, 1, 1, 1))
    square = frames[:, top:bottom, left:right]
    frames[:, top:bottom, left:right] = np.clip(square // 2 + 60 + tremble, 0, 255)
    viz.save_video(f"{folder}/film/", frames, 10)
    viz.save_video(f"{folder}/still/", frames[:1].repeat(COUNT, axis=0), 10)
    for name in ("film", "still"):
        (folder / f"{name}.json").write_text(json.dumps({name: [BOX]}))
    vector = np.float32([1, 2, 0, -1, 0, 1]) / np.sqrt(np.float32(7))
    jobs.write_direction(folder / "w.npz", Direction("w", {"w": vector}, 0.7, "", 0))
    return folder


def edited(place, network, out, film="film", strength=4, window=5, paste=None, **more):
    options = jobs.FilmOptions(window=window, **more.pop("options", {}))
    pictures = jobs.PictureOptions(align=f"{place}/{film}.json", **HOW)
    networks = network if isinstance(network, list) else [network]
    return jobs.edit_film(
        networks,
        jobs.EditRequest([f"{place}/w.npz:{strength}"]),
        f"{place}/{film}",
        out,
        options=options,
        pictures=more.pop("pictures", pictures),
        paste=jobs.PasteOptions(paste),
        **more,
    )


def test_without_a_window_frames_are_pictures(place, network, tmp_path):
    film = edited(place, network, tmp_path / "out", window=1, paste=tmp_path / "whole")
    assert (film.frames, film.fps, film.without_face, film.diverged) == (COUNT, 10, 0, 0)
    assert not (tmp_path / "out.unfinished").exists()
    names = [f"frame{number:05d}.png" for number in range(COUNT)]
    (tmp_path / "each.json").write_text(json.dumps({name: [BOX] for name in names}))
    alone = jobs.edit(
        [network],
        jobs.EditRequest([f"{place}/w.npz:4"]),
        latents=[f"{place}/film"],
        kind="pictures",
        pictures=jobs.PictureOptions(align=f"{tmp_path}/each.json", **HOW),
    )
    whole = np.stack([image for _, image in alone.photographs().images()])
    drawn = frames_of(tmp_path / "whole")
    assert np.abs(drawn.astype(int) - whole).max() <= 1
    before = frames_of(place / "film")
    assert np.abs(drawn.astype(int) - before)[:, 8:20, 6:18].mean() > 5
    left, top, right, bottom = BOX
    for frames in (drawn, before):
        frames[:, top:bottom, left:right] = 0
    np.testing.assert_array_equal(drawn, before)


def test_a_still_film_stays_still(place, network, tmp_path):
    film = edited(place, network, tmp_path / "out", film="still", paste=tmp_path / "whole")
    for name in ("out", "whole"):
        frames = frames_of(tmp_path / name)
        assert len(frames) == COUNT and (frames == frames[0]).all()
    assert film.flicker_before == 0 and set(film.flicker.values()) == {0}


def test_noise_that_is_random_stays_the_same(place, network, child, tmp_path):
    how = jobs.PictureOptions(align=f"{place}/still.json", **HOW)
    for seed in (0, 1):
        jobs.translate_film(
            network,
            child,
            place / "still",
            tmp_path / str(seed),
            noise="random",
            noise_seed=seed,
            pictures=how,
        )
    one, other = (frames_of(tmp_path / name) for name in "01")
    assert (one == one[0]).all() and not (one == other).all()


def test_a_window_calms(place, network, tmp_path):
    flicker = {}
    for window in (1, 5):
        film = edited(place, network, tmp_path / str(window), window=window)
        [flicker[window]] = film.flicker.values()
        before = film.flicker_before
    assert 0 < flicker[5] < 0.7 * flicker[1]
    squares = frames_of(place / "film")[:, BOX[1] : BOX[3], BOX[0] : BOX[2]].astype(int)
    bent = np.abs(2 * squares[1:-1] - squares[:-2] - squares[2:]) / 2
    assert before == pytest.approx(bent.mean(), rel=0.05)
    assert film.summary == f"11 frames, 1.1 s; flicker {flicker[5]:.2f} (before {before:.2f})"


def test_what_is_shown(place, network, child, tmp_path):
    edited(place, network, tmp_path / "plain")
    family = edited(place, [network, child], tmp_path / "all", options={"beside": True, "scale": 2})
    assert len(family.flicker) == 2
    plain, wide = frames_of(tmp_path / "plain"), frames_of(tmp_path / "all")
    assert plain.shape[1:] == (8, 8, 3) and wide.shape[1:] == (16, 48, 3)
    np.testing.assert_array_equal(wide[:, ::2, 16:32:2], plain)
    squares = [inverting.square_of(frame, _box_of(frame), network.config)
               for frame in frames_of(place / "film")]  # fmt: skip
    np.testing.assert_array_equal(wide[:, ::2, :16:2], squares)
    with pytest.raises(UserError, match="a whole frame has room for one"):
        edited(place, [network, child], tmp_path / "no", paste=tmp_path / "whole")
    assert not (tmp_path / "no.unfinished").exists()


def _box_of(frame):
    return of_box(np.asarray(BOX, float), (frame.shape[1], frame.shape[0]))


class _Stop(KeyboardInterrupt):
    pass


@pytest.mark.parametrize("stage", ["inverting", "drawing"])
def test_a_stopped_film_goes_on(place, network, tmp_path, monkeypatch, stage):
    command = Command.of("aligned edit", {})
    how = {"paste": tmp_path / "whole", "command": command}
    edited(place, network, tmp_path / "one", paste=tmp_path / "one_whole", command=command)
    work = jobs.footage.work.FilmWork
    name = {"inverting": "keep_latents", "drawing": "keep_frame"}[stage]
    own, calls = getattr(work, name), []

    def kept(self, *args):
        calls.append(args[:-1])
        if len(calls) == {"inverting": 2, "drawing": 19}[stage]:
            raise _Stop
        own(self, *args)

    monkeypatch.setattr(work, name, kept)
    with pytest.raises(_Stop):
        edited(place, network, tmp_path / "two", **how)
    assert (tmp_path / "two.unfinished").is_dir() and not (tmp_path / "two").exists()
    done = set(calls[:-1])
    calls.clear()
    monkeypatch.setattr(work, name, lambda self, *args: (calls.append(args[:-1]), own(self, *args)))
    edited(place, network, tmp_path / "two", **how)
    if stage == "inverting":
        assert not done & set(calls)
    else:
        assert ("squares", 0) in done and ("squares", 0) not in calls
    for first, second in (("one", "two"), ("one_whole", "whole")):
        np.testing.assert_array_equal(frames_of(tmp_path / first), frames_of(tmp_path / second))


def _stopped_while(monkeypatch, nth, run):
    """Runs with `save_video` stopped at its nth call."""
    own, calls = viz.save_video, []

    def stopped(*args, **more):
        calls.append(args)
        if len(calls) == nth:
            raise _Stop
        own(*args, **more)

    monkeypatch.setattr(viz, "save_video", stopped)
    with pytest.raises(_Stop):
        run()
    monkeypatch.undo()


def test_a_film_stopped_between_its_two_results_goes_on(place, network, tmp_path, monkeypatch):
    out, whole = tmp_path / "out.webp", tmp_path / "whole.webp"
    _stopped_while(monkeypatch, 2, lambda: edited(place, network, out, paste=whole))
    written = out.stat().st_mtime_ns
    assert not whole.exists()
    drawn = []
    keep = jobs.footage.work.FilmWork.keep_frame
    monkeypatch.setattr(
        jobs.footage.work.FilmWork,
        "keep_frame",
        lambda self, *args: (drawn.append(args[:2]), keep(self, *args)),
    )
    film = edited(place, network, out, paste=whole)
    assert not drawn and whole.exists() and out.stat().st_mtime_ns == written
    assert film.flicker[next(iter(film.flicker))] > 0
    _stopped_while(
        monkeypatch,
        2,
        lambda: edited(place, network, tmp_path / "b.webp", paste=tmp_path / "c.webp"),
    )
    with pytest.raises(UserError, match=r"b\.webp already exists"):  # it is of another edit
        edited(place, network, tmp_path / "b.webp", strength=1, paste=tmp_path / "c.webp")


def test_what_the_same_words_stand_for_now_is_drawn(place, network, tmp_path, monkeypatch):
    """Another direction under the same name, and another network, by the same command."""
    command = Command.of("aligned edit", {})
    request = jobs.EditRequest([f"{tmp_path}/way.npz:3"])
    pictures = jobs.PictureOptions(align=f"{place}/film.json", **HOW)

    def run(out, weights=network):
        film = f"{place}/film"
        jobs.edit_film([weights], request, film, tmp_path / out, pictures=pictures, command=command)
        return frames_of(tmp_path / out)

    shutil.copy(place / "w.npz", tmp_path / "way.npz")
    _stopped_while(monkeypatch, 1, lambda: run("a"))
    vector = np.float32([0, 0, 1, 0, 0, 0])
    jobs.write_direction(
        tmp_path / "way.npz", Direction("w", {"w": vector}, 0.7, "", 0), overwrite=True
    )
    np.testing.assert_array_equal(run("a"), run("fresh"))


def test_a_detector_that_was_changed_looks_again(place, network, tmp_path, monkeypatch):
    source = tmp_path / "faces.py"
    pictures = jobs.PictureOptions(align=f"{source}:find", **HOW)
    text = "def find(image):\n    return [[{}, 6, {}, 22]]\n"
    source.write_text(text.format(4, 20))
    run = functools.partial(edited, place, network, pictures=pictures)
    _stopped_while(monkeypatch, 1, lambda: run(tmp_path / "a"))
    source.write_text(text.format(20, 36))
    with pytest.raises(UserError, match="holds the unfinished work on another film, or with other"):
        run(tmp_path / "a")


def test_results_that_cannot_be_are_refused_before_anything_is_inverted(
    place, network, tmp_path, monkeypatch
):
    monkeypatch.setattr(inverting, "_inverted", lambda *args: 1 / 0)
    with pytest.raises(UserError, match="are too large"):
        edited(place, network, tmp_path / "a.webp", options={"scale": 5000})
    shutil.copytree(place / "film", tmp_path / "film")
    shutil.copy(place / "film.json", tmp_path / "film.json")
    with pytest.raises(UserError, match="lies among the frames of"):
        edited(tmp_path, network, tmp_path / "film" / "a.webp")


def test_another_edit_keeps_latents_and_another_film_is_refused(
    place, network, tmp_path, monkeypatch
):
    monkeypatch.setattr(viz, "save_video", lambda *args, **more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        edited(place, network, tmp_path / "out")
    with pytest.raises(UserError, match=r"out.unfinished holds the unfinished work on another"):
        edited(place, network, tmp_path / "out", film="still")
    with pytest.raises(UserError, match="holds the unfinished work"):
        edited(place, network, tmp_path / "out", window=3)
    monkeypatch.undo()
    inverted = []
    monkeypatch.setattr(inverting, "_inverted", lambda *args: inverted.append(args))
    edited(place, network, tmp_path / "out", strength=1)
    monkeypatch.undo()
    assert not inverted
    edited(place, network, tmp_path / "fresh", strength=1)
    np.testing.assert_array_equal(frames_of(tmp_path / "out"), frames_of(tmp_path / "fresh"))
    (tmp_path / "next.unfinished").mkdir()
    with pytest.raises(UserError, match="holds the unfinished work"):
        edited(place, network, tmp_path / "next")
    edited(place, network, tmp_path / "next", overwrite=True)
    assert not (tmp_path / "next.unfinished").exists()


def test_frames_that_diverge_look_like_their_neighbours(place, network, tmp_path, monkeypatch):
    run = inverting.PendingInversion.run

    def lost(self, *args):
        latents = run(self, *args)
        return latents.take([row for row in range(len(latents)) if row not in (1, 2)])

    monkeypatch.setattr(inverting.PendingInversion, "run", lost)
    film = edited(place, network, tmp_path / "out", window=1)
    frames = frames_of(tmp_path / "out")
    assert film.diverged == 4  # two of each block
    assert (frames[1] == frames[0]).all() and (frames[2] == frames[3]).all()
    assert not (frames[4] == frames[3]).all()


def test_the_verbs_and_the_sound(place, network, child, tmp_path, capsys):
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1.1", "-c:a", "aac"]
    ffmpeg("-r", 10, "-i", f"{place}/film/frame%05d.png", *tone, tmp_path / "film.mp4")
    film, out = f"{tmp_path}/film.mp4", f"{tmp_path}/out.mp4"
    (tmp_path / "faces.json").write_text(json.dumps({"film.mp4@0": [BOX], "film.mp4@9": [BOX]}))
    how = ["--film", film, "--align", f"{tmp_path}/faces.json", "--steps", "2"]
    how += ["--perceptual", "none", "--pixels", "1"]
    whole = f"{tmp_path}/whole.mp4"
    said = aligned("translate", PARENT, child, *how, "--paste-back", whole, "--out", out)
    assert f"wrote {out}: 11 frames, 1.1 s; flicker" in said and f"wrote {whole}" in said
    for name in (out, whole):
        made = open_footage(name)
        assert made.sound == "aac" and made.expected == COUNT
        assert _sound(name, tmp_path) == _sound(film, tmp_path)
    webp = f"{tmp_path}/out.webp"
    aligned("edit", PARENT, *how, "--edit", f"{place}/w.npz:2", "--out", webp, "--beside")
    assert f"the sound is left out of {webp}; an mp4 keeps it" in capsys.readouterr().err
    assert open_footage(webp).size == (16, 8)


def test_recipes_and_options_that_change_nothing(place, child, tmp_path, capsys):
    how = ["--film", f"{place}/still", "--align", f"{place}/still.json", "--steps", "2"]
    how += ["--perceptual", "none", "--pixels", "1"]
    edit, recipe = ["--edit", f"{place}/w.npz:2"], f"{tmp_path}/a.json"
    aligned("edit", PARENT, *how, *edit, "--out", f"{tmp_path}/a", "--psi", "0.3")
    assert "--psi changes nothing: these latents are not in z" in capsys.readouterr().err
    aligned("edit", PARENT, *how, "--recipe", recipe, "--out", f"{tmp_path}/b")
    assert "nothing" not in capsys.readouterr().err
    a, b = (frames_of(tmp_path / name) for name in "ab")
    assert (a == b).all()
    assert main(["edit", str(PARENT), *how, *edit, "--out", f"{tmp_path}/a.mp4"]) == 2
    assert f"{recipe} already exists" in capsys.readouterr().err
    noise = ["--noise-seed", "3", "--out", f"{tmp_path}/d"]
    aligned("translate", PARENT, child, *how, *noise)
    assert "--noise-seed changes nothing: noise is const" in capsys.readouterr().err


def _sound(film, folder):
    """The packets of a film's sound."""
    ffmpeg("-i", film, "-map", "0:a", "-c", "copy", "-f", "adts", folder / "sound.aac")
    return (folder / "sound.aac").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "0"], "--film is all that is drawn"),
        (["--window", "4"], "`window`|--window is 4; it is an odd number"),
        (["--columns", "3"], "--columns cannot be used together with --film"),
        (["--fps", "30"], "--fps cannot be used together with --film"),
        (["--both"], "--both cannot be used together with --film"),
        (["--strength", "auto"], "what an edit of a film does is decided before"),
        (["--random", "0"], "what an edit of a film does is decided before"),
        (["--film", "none.mp4"], "no such film: none.mp4"),
        (["--align", "{place}/film.json"], "no frame is called film"),
        (["--out", "{place}/still"], "{place}/still.json already exists"),
        (["--out", "{place}/still", "--overwrite"], "the results would replace what is given"),
        (
            ["--out", "faces", "--overwrite", "--align", "faces.json"],
            "the results would replace what is given: faces.json",
        ),
        (["--out", "out.png"], "a film is NAME.webp"),
        (["--paste-back", "out.png"], "a film is NAME.webp"),
        (["--feather", "0.2"], "--feather can only be used together with --paste-back"),
    ],
)
def test_bad_input(place, tmp_path, capsys, words, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces.json").write_text("{}")
    edit = ["--edit", f"{place}/w.npz" + ("" if "auto" in words else ":2")]
    edit = ["--film", f"{place}/still", "--steps", "1", *edit, "--out", "out"]
    given = [word.format(place=place) for word in words]
    assert main(["edit", str(PARENT), *edit, *given]) == 2
    said = capsys.readouterr().err
    assert any(part in said for part in message.format(place=place).split("|")), said
    assert len(said.strip().splitlines()) == 1 and not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    "words", [["--reference", "1"], ["--layers", "2"], ["--edit-in", "child"], ["--space", "z,w"]]
)
def test_translations_that_no_film_has(place, child, tmp_path, capsys, words):
    how = ["--film", f"{place}/still", "--edit", f"{place}/w.npz:1", "--out", f"{tmp_path}/out"]
    assert main(["translate", str(PARENT), str(child), *how, *words]) == 2
    assert words[0] in capsys.readouterr().err


def test_options_of_films_need_one(place, tmp_path, capsys):
    how = ["edit", str(PARENT), "--edit", f"{place}/w.npz:1", "--out", f"{tmp_path}/a.png"]
    assert main([*how, "--beside", "--window", "3"]) == 2
    assert "--window and --beside can only be used together with --film" in capsys.readouterr().err


def test_edits_of_translations_and_what_is_kept(place, network, child, tmp_path):
    how = jobs.PictureOptions(align=f"{place}/film.json", **HOW)
    drawn = {}
    for name, more in {
        "plain": {},
        "edited": {"edits": [f"{place}/w.npz:5"]},
        "kept": {"keep": jobs.KeepOptions(keep_colour=True)},
        "toonified": {"preset": "toonify"},
    }.items():
        jobs.translate_film(network, child, place / "film", tmp_path / name, pictures=how, **more)
        drawn[name] = frames_of(tmp_path / name)
    for name in ("edited", "kept", "toonified"):
        assert not (drawn[name] == drawn["plain"]).all()
    means = {name: frames.mean(axis=(1, 2)) for name, frames in drawn.items()}
    squares = frames_of(place / "film")[:, BOX[1] : BOX[3], BOX[0] : BOX[2]].mean(axis=(1, 2))
    away = {name: np.abs(means[name] - squares).mean() for name in ("plain", "kept")}
    assert away["kept"] < 0.5 * away["plain"]


@pytest.mark.slow
def test_long_films_take_little_memory(tmp_path):
    """500 frames of 1280x720, of which all would take 1.4 GB, in one of its own processes."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=20", "-pix_fmt", "yuv420p",
           tmp_path / "film.mp4")  # fmt: skip
    code = f"""
import re
from aligned_jax.tools.main import main
assert main(["edit", {str(PARENT)!r}, "--film", "film.mp4", "--channel", "0_1", "--steps", "1",
             "--perceptual", "none", "--pixels", "1",
             "--paste-back", "whole.mp4", "--out", "out.mp4"]) == 0
# The peak of this program alone: `ru_maxrss` begins with that of whoever started it.
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "500 frames, 20.0 s" in ran.stdout
    assert int(ran.stdout.splitlines()[-1]) * 1024 < 2e9
    assert open_footage(tmp_path / "whole.mp4").size == (1280, 720)
