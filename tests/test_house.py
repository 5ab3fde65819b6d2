"""The house rules that a machine can hold: sizes, assertions, nothing that ties the tree to one machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
TOP_LEVEL = {"pyproject.toml", "README.md", "guard", "tests", "deploy", "Makefile", "LICENSE", "CHANGELOG.md"}

MACHINE_PATH = re.compile(r"(?<![\w.$/])/(?:work|farm|root|home/\w+|Users/\w+|tmp/\w+)(?:/|\b)")
REGISTRY_HOST = re.compile(
    r"\b(?:pypi\.org|files\.python" r"hosted\.org|repo1?\.maven(?:\.apache)?\.org|maven\.google\.com|registry\.npm" r"js\.org|crates\.io)"
)
"""Split, so that this file does not match itself."""

SOURCES = sorted(path for top in ("guard", "tests") for path in (ROOT / top).rglob("*.py"))
TESTS = [path for path in SOURCES if path.name.startswith("test_")]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, Function)]


def _lines(function: Function) -> int:
    """Lines from `def` to the end, without those of docstrings, its own and those within."""
    documented = [node for node in ast.walk(function) if isinstance(node, Function | ast.ClassDef) and ast.get_docstring(node) is not None]
    docstrings = sum((node.body[0].end_lineno or 0) - node.body[0].lineno + 1 for node in documented)
    return (function.end_lineno or 0) - function.lineno + 1 - docstrings


def _asserts(function: Function) -> bool:
    return any(isinstance(node, ast.Assert) or _is_checking_call(node) for node in ast.walk(function))


def _is_checking_call(node: ast.AST) -> bool:
    """A call whose name says that it checks: `pytest.raises`, `pytest.fail`, `check_...`, `assert_...`."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in {"raises", "fail", "warns"} or name.lstrip("_").startswith(("assert", "check"))


def _tracked() -> list[Path]:
    """What belongs to the project: git's files where this is a checkout, else what is no dot file."""
    found = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    paths = [ROOT / line for line in found.stdout.splitlines()] if found.returncode == 0 else [*ROOT.rglob("*")]
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_fits_in_a_sitting_and_each_function_on_a_screen(path):
    """What needs no scrolling can be believed at a glance."""
    long = {function.name: _lines(function) for function in _functions(path) if _lines(function) > FUNCTION_LINES_MAX}

    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES_MAX
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_says_first_what_it_is_about(path):
    """One idea a file: who cannot name it in a line has two. Empty marker files are fine."""
    text = path.read_text(encoding="utf-8")

    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_every_test_asserts_something(path):
    """A test without an assertion passes whatever the code does."""
    idle = [function.name for function in _functions(path) if function.name.startswith("test_") and not _asserts(function)]

    assert not idle


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_every_test_says_why_anyone_cares(path):
    """A name says what holds; the docstring says what would be lost without it."""
    silent = [function.name for function in _functions(path) if function.name.startswith("test_") and not ast.get_docstring(function)]

    assert not silent


def test_nothing_names_a_place_on_one_machine():
    """A path of somebody's machine works nowhere else."""
    found = {_name(path): match.group() for path in _tracked() if (match := MACHINE_PATH.search(_text(path)))}

    assert not found


def test_nothing_names_the_host_of_a_package_registry():
    """Where packages come from is the machine's own configuration: mirrors and closed networks must work."""
    found = {_name(path): match.group() for path in _tracked() if (match := REGISTRY_HOST.search(_text(path)))}

    assert not found


def test_the_front_room_is_tidy():
    """Whoever opens the project sees few things, each of them known."""
    seen = {path.relative_to(ROOT).parts[0] for path in _tracked()}

    assert {name for name in seen if not name.startswith(".")} <= TOP_LEVEL
