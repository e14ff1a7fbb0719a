"""The command itself: help, exit codes, and what it does not import."""

import io
import subprocess
import sys
from importlib import resources

import pytest

import aligned_jax
from aligned_jax import weights
from aligned_jax.cli import console
from aligned_jax.errors import UserError
from aligned_jax.tools import info
from aligned_jax.tools.main import ALIGNED, VERBS, main

# What takes time to import; no help text needs it.
HEAVY = ("jax", "numpy", "flax", "orbax", "PIL", "rich")


def python(code, *argv, **options):
    command = [sys.executable, "-c", code, *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_help_is_instant():
    """All of it in one process, which has imported nothing heavy at its end."""
    lines = [["--help"], ["generate", "--help"], ["finetune", "-h"], ["--version"]]
    code = (
        f"import sys; from aligned_jax.tools.main import main; codes = list(map(main, {lines}))\n"
        f"print(codes, sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    result = python(code)
    assert (result.returncode, result.stderr) == (0, "[0, 0, 0, 0] []\n")
    for said in ("usage: aligned VERB", "usage: aligned generate", "usage: aligned finetune"):
        assert said in result.stdout
    assert result.stdout.endswith(f"aligned {aligned_jax.__version__}\n")


def test_help_names_every_verb(aligned):
    for argv in ([], ["-h"], ["--help"]):
        text = aligned(*argv).out
        for verb, summary in ((name, verb.summary) for name, verb in VERBS.items()):
            assert f"  {verb} " in text and summary in text
    assert aligned("--version").out == f"aligned {aligned_jax.__version__}\n"


def test_help_names_what_comes_with_the_package(aligned):
    """A newcomer has nothing else to begin with."""
    zoo = resources.files("aligned_jax") / "zoo"
    members = [entry.name for entry in zoo.iterdir() if (entry / "card.md").is_file()]
    said = aligned("--help").out
    assert len(members) > 8
    for name in members:
        plain = name.removesuffix("-e4e").removesuffix("-z")
        assert plain in said and f"NAME{name.removeprefix(plain)}" in said
    assert "the first two" in said and {"personas64-z", "critters64-e4e"} < set(members)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example(verb, aligned):
    result = aligned(verb, "--help")
    assert (result.code, result.err) == (0, "")
    module = ALIGNED.module_of(verb)
    assert module.__doc__.strip() in result.out
    assert f"example:\n{module.EXAMPLE}" in result.out
    assert module.EXAMPLE.startswith(f"  aligned {verb} ")


def test_the_help_of_reset_names_the_components(aligned):
    text = aligned("reset", "--help").out
    assert all(name in text for name in (*weights.COMPONENTS, *weights.GROUPS))


def test_help_says_what_could_surprise(aligned):
    assert "write 0 - a for -a" in aligned("arithmetic", "--help").out
    assert "changes an image by rounding at most" in " ".join(
        aligned("generate", "--help").out.split()
    )


@pytest.mark.parametrize(
    ("verb", "hint"),
    [("compar", "did you mean compare?"), ("inter polate", "did you mean interpolate?"),
     ("xyz", "verbs are demo, zoo, convert")],
)  # fmt: skip
def test_unknown_verbs(verb, hint, aligned):
    result = aligned(verb)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"aligned: there is no verb {verb!r}; {hint}")
    assert result.err.count("\n") == 1


def test_options_are_not_abbreviated(refused):
    assert "there is no --sty; did you mean --styles?" in refused("info", "x", "--sty")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "generate --network=x.pkl --trunc 1 --seed 0-3",  # --out is missing as well
            "aligned generate: there is no --network; give NETWORK without an option; there is no "
            "--trunc; give --psi; there is no --seed; did you mean --seeds? (`aligned generate ",
        ),
        ("generate x --outdir o", "there is no --outdir; give --out ("),
        ("generate x --noise_mode=none", "there is no --noise_mode; give --noise ("),
        ("generate x --qqqqq", "aligned generate: there is no --qqqqq (`"),
        (
            "data avatars --stile x",
            "there is no --stile; did you mean --style? (`aligned data avat",
        ),
        ("info x -- --sty", "unrecognized arguments: --sty"),
        ("info x --trunc 1", "there is no --trunc ("),  # nothing of the kind is here
    ],
)
def test_unknown_options_are_all_named_though_others_are_missing(refused, line, said):
    assert said in refused(*line.split())


def raising(error):
    def run(args):
        raise error

    return run


def test_mishaps_and_their_exit_codes(aligned, monkeypatch):
    monkeypatch.setattr(info, "run", raising(UserError("bad \x1b[31mred\r\n  name")))
    result = aligned("info", "x")
    assert (result.code, result.err) == (2, "aligned info: bad \\x1b[31mred\\r\n  name\n")
    monkeypatch.setattr(info, "run", raising(KeyboardInterrupt))
    assert aligned("info", "x").code == 130
    monkeypatch.setattr(info, "run", raising(ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):  # a bug: Python shows it and exits with 1
        main(["info", "x"])


def test_the_module_is_a_program():
    # A verb that there is would import much more before it says as much.
    command = [sys.executable, "-m", "aligned_jax.tools.main", "inform", "nowhere"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "aligned: there is no verb 'inform'; did you mean info?\n"


def test_what_is_not_there(refused):
    assert refused("info", "nowhere") == "aligned info: nowhere: no such file or folder\n"


def test_a_terminated_command_leaves_nothing_behind(tmp_path):
    code = (
        "import sys, time; from aligned_jax import viz; from aligned_jax.tools import info, main\n"
        "def run(args):\n"
        "    with viz.writing(args.network) as file, viz.writing_folder(args.network + '2'):\n"
        "        print('ready', flush=True); time.sleep(60)\n"
        "info.run = run; sys.exit(main.main())"
    )
    command = [sys.executable, "-c", code, "info", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert len(list(tmp_path.iterdir())) == 2
        process.terminate()
        out, err = process.communicate()
    assert (process.returncode, out, err) == (143, b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_only_argparse_may_stop_a_verb(monkeypatch):
    monkeypatch.setattr(info, "run", raising(SystemExit(3)))
    with pytest.raises(SystemExit):
        main(["info", "x"])


def test_a_reader_may_go_away():
    code = "import sys; from aligned_jax.tools.main import main; sys.exit(main(['--help']))"
    late = f"import time; time.sleep(0.5); {code}"  # by then the reader has gone
    script = f"set -o pipefail; '{sys.executable}' -c \"{late}\" | true"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (141, "")


def test_progress_is_shown_on_a_terminal_only(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream, expected in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        with console.progress(4, "images") as advance:
            advance(1)
            advance(3, "loss 0.5")
        assert ("loss 0.5" in stream.getvalue()) == expected
        assert ("images" in stream.getvalue() and "4/4" in stream.getvalue()) == expected
        assert bool(stream.getvalue()) == expected
