"""What several files say of the project agrees: versions, pins, Python, extras, the paper."""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import aligned_jax

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TOOLS = ("ruff", "mypy")
PAPER = "2110.11323"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def document(name):
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def pythons():
    """Minor versions of Python 3 that the project says it runs on."""
    low, high = re.fullmatch(
        r">=3\.(\d+),<3\.(\d+)", PROJECT["project"]["requires-python"]
    ).groups()
    return [f"3.{minor}" for minor in range(int(low), int(high))]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_has_one_version(tool):
    files = ("pyproject.toml", ".pre-commit-config.yaml", ".github/workflows/test.yml", ".ci/run")
    pinned = {
        version
        for name in files
        for version in re.findall(rf"\b{tool}==([\w.]+)", (ROOT / name).read_text("utf-8"))
    }
    assert len(pinned) == 1
    extras = PROJECT["project"]["optional-dependencies"]
    assert f"{tool}=={pinned.pop()}" in [*extras["test"], *extras["dev"]]


def test_every_check_of_the_ci_is_a_hook():
    hooks = [
        hook for repo in document(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]
    ]
    entries = [hook["entry"].removesuffix(" --force-exclude") for hook in hooks]
    assert entries == ["ruff check", "ruff format", "mypy"]


def test_the_workflow_runs_the_checks_on_every_python():
    (job,) = document(".github/workflows/test.yml")["jobs"].values()
    assert job["strategy"]["matrix"] == {"python": pythons(), "jax": ["newest", "oldest"]}
    assert ".ci/oldest.txt" in job["env"]["PIP_CONSTRAINT"]
    assert job["steps"][-1] == {"run": ".ci/run"}
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_oldest_jax_is_the_one_that_is_allowed():
    lines = (ROOT / ".ci" / "oldest.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    (allowed,) = [one for one in PROJECT["project"]["dependencies"] if one.startswith("jax>")]
    low = re.match(r"jax>=([\d.]+),", allowed)[1]
    assert pinned == dict.fromkeys(("jax", "jaxlib"), f"{low}.0")


def test_a_workflow_runs_the_slow_tests_every_week():
    workflow = document(".github/workflows/slow.yml")
    (when,) = workflow[True]["schedule"]  # YAML takes the key `on` for a truth
    minute, hour, *days, weekday = when["cron"].split()
    assert minute.isdigit() and hour.isdigit() and days == ["*", "*"] and weekday.isdigit()
    (job,) = workflow["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run -m slow"}
    (setup,) = [step for step in job["steps"] if "setup-python" in step.get("uses", "")]
    assert setup["with"]["python-version"] in pythons()


def test_every_python_is_named():
    classifiers = PROJECT["project"]["classifiers"]
    minor = [line.removeprefix("Programming Language :: Python :: ") for line in classifiers]
    assert [version for version in minor if re.fullmatch(r"3\.\d+", version)] == pythons()
    assert f"With Python {pythons()[0]} to {pythons()[-1]}" in (ROOT / "README.md").read_text(
        "utf-8"
    )
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{pythons()[0].replace('.', '')}"
    assert PROJECT["tool"]["mypy"]["python_version"] == pythons()[0]


def test_the_version_is_everywhere_the_same():
    versions = {PROJECT["project"]["version"], aligned_jax.__version__}
    assert versions == {document("CITATION.cff")["version"]}


def test_the_licence_is_everywhere_the_same():
    assert PROJECT["project"]["license"] == document("CITATION.cff")["license"]


def test_the_paper_is_cited():
    paper = document("CITATION.cff")["preferred-citation"]
    assert paper["title"] in (ROOT / "NOTICE").read_text("utf-8")
    assert paper["identifiers"][0]["value"] == f"arXiv:{PAPER}"
    assert PROJECT["project"]["urls"]["Paper"] == f"https://arxiv.org/abs/{PAPER}"
    assert f"https://arxiv.org/abs/{PAPER}" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_extras_that_are_named_exist(path):
    text = path.read_text("utf-8")
    named = {
        extra.strip()
        for group in re.findall(r"(?:\.|aligned_jax)\[([\w,]+)\]", text)
        for extra in group.split(",")
    } | set(re.findall(r"extra `(\w+)`", text))
    assert named <= set(PROJECT["project"]["optional-dependencies"])
