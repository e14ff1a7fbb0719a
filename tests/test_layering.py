"""Imports run one way and in no circle, programs are porches, and importing has no effects."""

import ast
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIBRARY, PROGRAMS = "aligned_jax", ("tools", "train")
# A module may import modules of a lower level, or of its own room.
LEVELS = [
    ("types", "errors"),
    ("utils", "provenance"),
    ("config",),
    ("ops",),
    ("latents", "losses"),
    ("networks",),
    ("augment", "weights", "convert", "hub"),
    ("loading",),
    ("features",),
    ("metrics",),
    ("evaluation",),
    ("training", "inversion", "semantics"),
    ("translation", "morphing", "zero_shot"),
    ("ancestry",),
    ("rendering",),
    ("runs",),
    ("jobs",),
    ("zoo",),
    ("viewer", "cli"),
    ("tools", "train"),
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
# Effects live here; they know types and config only, so that anyone may use them.
SIDE = {"checkpoint", "data", "viz"}
LONGEST_FILE, LONGEST_VERB = 350, 150


@cache
def modules() -> dict[str, Path]:
    """Files of the library and the programs by the names under which they are imported."""
    paths = {}
    for top in (LIBRARY, *PROGRAMS):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts if parts[-1] != "__init__" else parts[:-1])
            paths[name if top == LIBRARY else f"{LIBRARY}.{name}"] = path
    return paths


def room_of(name):
    """ "weights" of "aligned_jax.weights.swap"; the package itself has none."""
    return name.split(".")[1] if "." in name else ""


def imported(name, path, known):
    """Modules of `known` that a file imports, anywhere in it, for type checkers alone as well."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
            continue
        assert not node.level, f"{name} has a relative import"
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            if full in known:
                yield full
            elif node.module in known:
                yield node.module


@cache
def graph():
    known = modules()
    return {name: set(imported(name, path, known)) - {name} for name, path in known.items()}


def breaches(room, rooms):
    for other in rooms:
        if other in (room, ""):
            continue
        if other in SIDE:
            allowed = LEVEL.get(room, 0) > LEVEL["config"]
        elif room in SIDE:
            allowed = LEVEL[other] <= LEVEL["config"]
        else:
            allowed = LEVEL[other] < LEVEL[room]
        if not allowed:
            yield other


def circle(edges):
    """A list of modules that import each other in a ring, the first one again at its end; or []."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        path.append(name)
        for other in sorted(edges.get(name, ())):
            if ring := visit(other):
                return ring
        path.pop()
        done.add(name)
        return []

    return next((ring for name in sorted(edges) if (ring := visit(name))), [])


def test_imports_run_one_way():
    wrong = [
        f"{name} imports {other}"
        for name, names in graph().items()
        if room_of(name)
        for other in breaches(room_of(name), map(room_of, names))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_rule_finds_breaches():
    assert list(breaches("ops", ["networks", "config"])) == ["networks"]
    assert list(breaches("checkpoint", ["networks"])) == ["networks"]
    assert list(breaches("weights", ["training"])) == ["training"]
    assert list(breaches("jobs", ["tools"])) == ["tools"]
    assert list(breaches("runs", ["jobs"])) == ["jobs"]
    assert list(breaches("tools", ["networks", "checkpoint", "viz", "jobs", "cli"])) == []


def test_the_rule_sees_every_import(tmp_path):
    """Those in functions, and those for type checkers alone, too."""
    file = tmp_path / "module.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "import a.b\n"
        "if TYPE_CHECKING:\n    from a import c\n"
        "def run():\n    from a.d import name\n"
    )
    assert list(imported("a.e", file, {"a.b", "a.c", "a.d"})) == ["a.b", "a.c", "a.d"]


def test_nothing_imports_the_programs():
    """They are found by name; a verb is called through the library."""
    programs = tuple(f"{LIBRARY}.{top}" for top in PROGRAMS)
    wrong = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{a.name}" for a in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for other in names:
                if other in (*programs, *PROGRAMS) or other.startswith(
                    (*(f"{p}." for p in programs), *(f"{p}." for p in PROGRAMS))
                ):
                    wrong.append(f"{name} imports {other}")
    assert not wrong, "\n".join(wrong)


def test_no_circle():
    ring = circle(graph())
    assert not ring, " -> ".join(ring)


def test_the_rule_finds_circles():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_two_classes_share_a_name():
    """One word, one thing; what begins with an underscore is a file's own affair."""
    places = defaultdict(list)
    for name, path in modules().items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert not {word: names for word, names in places.items() if len(names) > 1}


def test_files_have_a_readable_length():
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules().items()}
    long = [f"{name}: {count}" for name, count in lengths.items() if count > LONGEST_FILE]
    long += [
        f"{name}: {count} (a verb)"
        for name, count in lengths.items()
        if room_of(name) in PROGRAMS and count > LONGEST_VERB
    ]
    assert not long, "\n".join(long)


def test_the_package_imports_nothing_heavy():
    code = "import sys, aligned_jax; print(sorted({'jax', 'numpy', 'orbax'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.strip() == "[]", result.stderr


def test_every_public_name_resolves():
    import aligned_jax

    for name in dir(aligned_jax):
        assert getattr(aligned_jax, name) is not None


def test_torch_and_tensorflow_are_never_imported():
    banned = ("torch", "tensorflow")
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules().values()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
        if name.split(".")[0] in banned
    ]
    assert not wrong, wrong
