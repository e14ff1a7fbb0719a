"""Imports run one way, and the library has no effects at import."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# A module may import modules of a lower level, or of its own package.
LEVELS = [
    ("types", "config", "encoder_config", "errors", "jsonable", "lazy", "paths", "atomic"),
    ("ops", "blocks", "loops", "versions"),
    ("latents",),
    ("networks",),
    ("augment", "weights", "convert"),
    ("features",),  # their weights are read through convert
    ("losses", "metrics"),
    ("network",),
    ("encoder_network",),
    ("loading",),
    ("training", "inversion", "semantics", "evaluation"),
    ("translation", "morphing", "zero_shot"),
    ("train", "tools"),
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
# Effects live here; they know types and config only, so that anyone may use them.
SIDE = {"checkpoint", "data", "viz"}


def imported(path):
    """Top-level names under aligned_jax that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{path}: relative import")
        if isinstance(node, ast.ImportFrom) and node.module == "aligned_jax":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aligned_jax."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            names = (alias.name for alias in node.names)
            yield from (name.split(".")[1] for name in names if name.startswith("aligned_jax."))


def sources():
    for folder in ("aligned_jax", "train", "tools"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            relative = path.relative_to(ROOT / folder)
            own = folder if folder != "aligned_jax" else relative.parts[0].removesuffix(".py")
            yield path, own


def breaches(own, names):
    for name in names:
        if name == own or name == "__version__":
            continue
        if own in SIDE:
            allowed = name in LEVELS[0]
        else:
            level = LEVEL.get(name, 0 if name in SIDE else None)
            allowed = (level is not None and level < LEVEL[own]) or name in LEVELS[0]
        if not allowed:
            yield name


def test_imports_run_one_way():
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, own in sources()
        if own != "__init__"
        for name in breaches(own, imported(path))
    ]
    assert not found, "\n".join(found)


def test_the_rule_finds_breaches():
    assert list(breaches("ops", ["networks", "config"])) == ["networks"]
    assert list(breaches("checkpoint", ["networks"])) == ["networks"]
    assert list(breaches("weights", ["training"])) == ["training"]
    assert list(breaches("tools", ["network", "checkpoint", "viz"])) == []


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
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, _ in sources()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
        if name.split(".")[0] in banned
    ]
    assert not found, found
