"""Programs compiled for TPUs that are not there: the tables of the benchmark, and their limits."""

import importlib.util
import json

import pytest

from aligned_jax.errors import UserError
from benchmarks import pods
from benchmarks.pods import LIMITED, LIMITS, MARKS, Case, cases, limits, tables
from benchmarks.programs import ALONE, NAMES, PHASES
from benchmarks.reporting import between_marks

RECORDED = json.loads(LIMITS.read_text("utf-8"))
# What is compiled again in long runs, of what is recorded: each takes some four minutes of two
# cores. The benchmark compiles all.
CHOSEN = [
    case
    for case in cases(("v5e:2x2",), ("paper256",), ("Gmain", "Greg", "Dreg", "features"))
    if " ".join(case) in RECORDED
]


def made_up(case, **changed):
    """Numbers of a program as `benchmarks.compilation` prints them."""
    found = {
        **case._asdict(),
        "augment": True,
        "batch": 64,
        "chips": 4,
        "rows": 8,
        "rounds": 2,
        "compile_cpu_seconds": 61.2,
        "needed_gib": 2.5,
        "chip_gib": 15.75,
        "gflop": 2000.0,
        "moved_gb": 30.0,
        "padding": 1.2,
        "exchanges": {"all-reduce": {"count": 1, "mb": 99.0}},
        "compute_ms": 10.0,
        "memory_ms": 20.0,
        "bound_ms": 20.0,
        "jax": "1",
        "libtpu": "2",
    }
    return found | changed


def test_programs_of_one_chip_are_compiled_once_for_each_kind_of_chip():
    found = cases(("v5e:2x2", "v5e:16x16", "v4:2x2x1"), ("stylegan2", "paper256"), NAMES)
    assert len(found) == len(set(found)) == 2 * (3 * (len(NAMES) - len(ALONE)) + 2 * len(ALONE))
    assert found[0].preset == "paper256" and found[-1].preset == "stylegan2"
    for case in found:
        assert case.program not in ALONE or case.topology != "v5e:16x16"
    assert len({case.file for case in found}) == len(found)


def test_the_tables_tell_bounds_and_what_does_not_fit():
    done = [made_up(Case("v5e:2x2", "paper256", name)) for name in PHASES]
    text = tables(done)
    assert "bound" in text.splitlines()[0]
    assert "| v5e:2x2 | paper256 | Dreg with ADA | 8 x 2 | 61 |" in text
    assert "1 all-reduce, 99 MB" in text and "| 20 | memory |" in text
    # Two rounds of 20 ms for Gmain and Dmain, a quarter of that for Greg, a sixteenth for Dreg.
    average = 2 * 20 * (2 + 1 / 4 + 1 / 16)
    assert f"| {average:.3g} |" in text.splitlines()[-1]
    assert f"| {4e3 / 64 * average / 3600:.3g} |" in text.splitlines()[-1]
    broken = made_up(Case("v5e:2x2", "paper256", "Dreg"), failed="no room", needed_gib=17.4)
    text = tables([*done[:3], broken])
    assert "does not fit" in text and "17.4" in text
    assert "iteration" not in text  # a sum without one of its parts is none


def test_limits_leave_a_margin_and_leave_out_what_failed():
    fits = made_up(Case("v5e:2x2", "paper256", "Gmain"))
    broken = made_up(Case("v5e:2x2", "paper256", "Dreg"), failed="no room")
    found = limits([fits, broken])
    assert list(found) == ["v5e:2x2 paper256 Gmain"]
    for name in LIMITED:
        assert 1.05 < found["v5e:2x2 paper256 Gmain"][name] / fits[name] < 1.15


def test_a_page_without_its_marks_is_not_touched():
    page = f"above\n{MARKS[0]}\nold\n{MARKS[1]}\nbelow"
    assert between_marks(page, MARKS, "new") == f"above\n{MARKS[0]}\n\nnew\n\n{MARKS[1]}\nbelow"
    with pytest.raises(UserError, match="lacks"):
        between_marks("above", MARKS, "new")


def test_what_is_done_is_not_done_again(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(pods, "compiled", lambda case: asked.append(case) or made_up(case))
    line = ["--work", str(tmp_path), "--topologies", "v5e:2x2", "--presets", "paper256"]
    pods.main([*line, "--programs", "Gmain"])
    page = tmp_path / "pods.md"
    page.write_text("\n".join(MARKS))
    kept = ["--docs", str(tmp_path), "--limits", str(tmp_path / "limits.json")]
    pods.main([*line, *kept, "--programs", "Gmain", "Dreg"])
    assert [case.program for case in asked] == ["Gmain", "Dreg"]
    assert "Gmain with ADA" in page.read_text() and "Dreg with ADA" in page.read_text()
    assert len(json.loads((tmp_path / "limits.json").read_text())) == 2
    assert "Dreg: compiled" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("libtpu") is None,
    reason="libtpu, which compiles for TPUs, is not installed (extra tpu-aot)",
)
@pytest.mark.parametrize("case", CHOSEN, ids=" ".join)
def test_a_program_compiles_and_stays_within_its_limits(case):
    found = pods.compiled(case)
    assert "failed" not in found, found["failed"]
    assert found["needed_gib"] < found["chip_gib"]
    assert not found["pickings"]
    for name, limit in RECORDED[" ".join(case)].items():
        assert found[name] <= limit, name
    if case.program in PHASES:
        reduced = found["exchanges"]["all-reduce"]["count"]
        assert reduced == (2 if case.program == "Greg" else 1)
        assert list(found["exchanges"]) == ["all-reduce"]
        assert found["kernels"] >= (1 if found["augment"] and case.program != "Greg" else 0)
