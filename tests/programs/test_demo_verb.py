"""`aligned demo`, on the smallest networks: the page, its commands, and going on."""

import contextlib
import dataclasses
import functools
import html
import io
import re
import shlex
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import pytest

from aligned_jax import jobs, semantics
from aligned_jax.errors import UserError
from aligned_jax.jobs.command_steps import run_aligned
from aligned_jax.jobs.demo import making
from aligned_jax.jobs.demo import steps as demo_steps
from aligned_jax.jobs.demo.steps import DemoFamily, DemoPlan, Member
from aligned_jax.tools.main import ALIGNED

pytest.importorskip("dicebear")
PICTURES = ["family.png", "grid.png", "interpolate.png", "swap.png", "transition.png"]
PICTURES += ["translate.png"]
_NAMES = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


def family(parent, child):
    other = Member("far", str(child))
    again, control = Member("again", str(parent)), Member("control", f"{child}/")
    return DemoFamily(
        Member("old", str(parent)), (Member("near", str(child)), other), again, control
    )


def run(plan, carry_out=ALIGNED.carry_out):
    """(exit code, lines told, stderr)."""
    lines, err = [], io.StringIO()

    def quietly(argv):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            return carry_out(argv)

    code = jobs.make_demo(plan, quietly, lines.append)
    return code, "".join(f"{line}\n" for line in lines), err.getvalue()


@pytest.fixture(scope="module")
def made(parent, child, tmp_path_factory):
    """A finished demo, and what it said."""
    before = {name: getattr(jax.config, name) for name in _NAMES}
    folder = tmp_path_factory.mktemp("demo")
    plan = DemoPlan(str(folder / "my demo"), 1, 0, family(parent, child), faces=40)
    code, out, err = run(plan)
    assert code == 0, err
    yield SimpleNamespace(plan=plan, out=out, err=err, folder=Path(plan.out))
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture(scope="module")
def page(made):
    return (made.folder / "index.html").read_text("utf-8")


@pytest.fixture(scope="module")
def commands(page):
    """Command lines of the page, without the program's name."""
    lines = [html.unescape(line) for line in re.findall(r"<pre>(.*?)</pre>", page)]
    assert all(line.startswith("aligned ") for line in lines)
    return [shlex.split(line)[1:] for line in lines]


@pytest.mark.slow
def test_the_page_has_every_picture(made, page):
    edits = sorted(made.folder.glob("edit-*.png"))
    assert len(edits) == demo_steps.EDITED
    assert sorted(p.name for p in made.folder.glob("*.png")) == sorted(
        [*PICTURES, *(p.name for p in edits)]
    )
    assert page.count("data:image/png;base64") == len(PICTURES) + len(edits) + 1
    assert page.count("data:image/webp;base64") == 1 and (made.folder / "morph.webp").exists()
    assert page.count("<svg") == 1
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    for figure in (
        "figures 2, 14 and 34",
        "figure 4",
        "figures 1 and 8",
        "figure 31",
        "figures 6 and 22",
    ):
        assert figure in page


@pytest.mark.slow
def test_progress_is_told_step_by_step(made):
    lines = made.out.splitlines()
    steps = [line.split()[0] for line in lines[:-1]]
    assert steps == [f"{k}/13" for k in range(1, 14)]
    assert all(re.match(r" ?\d+/13  \d+:\d\d  \w", line) for line in lines[:-1])
    assert re.fullmatch(r"finished in \d+:\d\d min: open .*index.html", lines[-1])
    assert "1 of 1 kimg" in made.err


@pytest.mark.slow
def test_every_command_of_a_picture_makes_it_again(made, commands):
    pictures = [
        *made.folder.glob("*.png"),
        made.folder / "morph.webp",
        made.folder / "compare" / "resets.png",
    ]
    before = {path: path.read_bytes() for path in pictures}
    verbs = []
    for argv in commands:
        if "--overwrite" in argv:
            verbs.append(argv[0])
            with contextlib.redirect_stdout(io.StringIO()):
                target = Path(argv[argv.index("--out") + 1])
                shutil.rmtree(target) if target.is_dir() else target.unlink()
                assert ALIGNED.carry_out(argv) == 0
    assert sorted(verbs) == sorted(
        ["family", "transition", "compare", "interpolate", "swap", "translate", *["morph"] * 2]
        + ["edit"] * 3
    )
    assert {path: path.read_bytes() for path in pictures} == before


@pytest.mark.slow
def test_the_other_commands_work_too(made, commands, tmp_path, monkeypatch, aligned):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made.folder, tmp_path / "copy")
    rest = [argv for argv in commands if "--overwrite" not in argv]
    assert [argv[0] for argv in rest] == ["data", "finetune", "resume", "generate", "swap",
                                          "data", "finetune"]  # fmt: skip
    data, finetune, resume, generate, swap = (
        [word.replace(str(made.folder), str(tmp_path / "copy")) for word in argv]
        for argv in rest[:5]
    )
    shutil.rmtree(tmp_path / "copy" / "faces")
    for argv in (data, finetune, resume, generate, swap):
        result = aligned(*argv)
        assert result.code == 0, result.err
    assert Path("more.png").exists() and Path("blend/G_ema").exists()
    assert (tmp_path / "copy" / "run" / "checkpoints" / "kimg-000003").exists()


@pytest.mark.slow
def test_finished_parts_are_kept(made):
    (made.folder / "swap.png").unlink()
    kept = {p: p.stat().st_mtime_ns for p in made.folder.glob("*.png")}
    code, out, err = run(made.plan)
    assert (code, err) == (0, "")
    redone = [line for line in out.splitlines()[:-1] if not line.endswith("(done before)")]
    assert len(redone) == 1 and "coarse layers" in redone[0]
    assert (made.folder / "swap.png").exists()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [("kimg", 2), ("seed", 1), ("faces", 41)])
def test_another_demo_needs_another_folder(made, name, value):
    with pytest.raises(UserError, match=f"holds a demo with another {name}; choose another `out`"):
        run(dataclasses.replace(made.plan, **{name: value}))


@pytest.mark.slow
def test_a_stopped_demo_leaves_the_rest_for_later(made, tmp_path):
    plan = dataclasses.replace(made.plan, out=str(tmp_path / "d"))
    code, out, _ = run(plan, lambda argv: 130 if argv[0] == "finetune" else 0)
    assert code == 130 and out.count("\n") == 2
    assert not (tmp_path / "d" / "index.html").exists()


@pytest.mark.slow
def test_the_verb_finishes_a_demo_and_prints_its_lines(made, aligned, monkeypatch):
    shown = DemoPlan(made.plan.out, 1, 0, made.plan.family, faces=40)
    monkeypatch.setattr(jobs, "DemoPlan", lambda out, kimg, seed: shown)
    (made.folder / "swap.png").unlink()
    result = aligned("demo", "--out", made.plan.out, "--kimg", 1)
    assert result.code == 0 and result.err == ""
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [f"{k}/13" for k in range(1, 14)]
    assert sum(not line.endswith("(done before)") for line in lines[:-1]) == 1
    assert (made.folder / "swap.png").exists()


@pytest.mark.slow
def test_a_script_needs_no_command_line(made):
    (made.folder / "swap.png").unlink()
    lines = []
    assert jobs.make_demo(made.plan, tell=lines.append) == 0
    assert (made.folder / "swap.png").exists() and "finished in" in lines[-1]
    with pytest.raises(UserError, match="there is no verb 'swop'; did you mean swap"):
        run_aligned(["swop"])


def test_options_reach_the_commands(parent, child, monkeypatch):
    plan = DemoPlan("d", 1, 0, family(parent, child))

    def text(**changed):
        other = dataclasses.replace(plan, **changed)
        steps = demo_steps.training(other, 8) | demo_steps.surgery(other, 8)
        steps |= demo_steps.journeys(other, 8)
        return "\n".join(step.command for step in steps.values())

    before = text()
    assert "--seeds 0-7" in before and "--seeds 8-15" in text(seed=1)
    assert "--kimg 3 --seed 0" in text(kimg=3) and "--kimg 1 --seed 2" in text(seed=2)
    assert len({before, text(seed=1), text(kimg=3), text(style="micah"), text(preset="auto")}) == 5
    # With so few channels every seed finds the same ones, unless it may try only some.
    few = functools.partial(semantics.visible_channels, tried=3)
    monkeypatch.setattr(semantics, "visible_channels", few)
    assert len({tuple(making.channels(dataclasses.replace(plan, seed=k))) for k in range(3)}) > 1


def test_the_command_line(aligned, monkeypatch):
    plans, codes = [], [0, 0, 130]
    monkeypatch.setattr(
        jobs, "make_demo", lambda plan, carry_out, tell: plans.append(plan) or codes.pop(0)
    )
    assert aligned("demo").code == 0
    assert aligned("demo", "--out", "x", "--kimg", 7, "--seed", 3).code == 0
    stopped = aligned("demo", "--out", "x", "--kimg", 7, "--seed", 3)
    said = "warning: stopped and saved; the same command goes on from here\n"
    assert (stopped.code, stopped.out, stopped.err) == (130, "", said)
    assert [(p.out, p.kimg, p.seed) for p in plans[:2]] == [("demo", 6, 0), ("x", 7, 3)]
    assert plans[0].family is demo_steps.ZOO


def test_a_missing_extra_is_one_sentence(refused, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    said = refused("demo", "--out", tmp_path / "d")
    assert "needs resvg_py: pip install 'aligned_jax[avatars]'" in said
    assert not (tmp_path / "d").exists()


@pytest.mark.slow
def test_a_missing_network_is_found_before_any_work(refused, monkeypatch, made, tmp_path):
    broken = dataclasses.replace(made.plan.family, control=Member("x", "zoo:nobody"))
    monkeypatch.setattr(demo_steps, "ZOO", broken)
    assert "there is no zoo:nobody" in refused("demo", "--out", tmp_path / "d")
    assert not (tmp_path / "d").exists()


@pytest.mark.slow
def test_a_folder_of_something_else_is_left_alone(refused, monkeypatch, made, tmp_path):
    monkeypatch.setattr(demo_steps, "ZOO", made.plan.family)
    (tmp_path / "mine.txt").write_text("mine")
    assert "is not empty; choose another --out" in refused("demo", "--out", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
