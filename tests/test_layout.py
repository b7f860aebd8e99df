"""The house stays in order: names, links, packages, import direction, sizes, hygiene."""

import ast
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("model", "traces", "conformance", "diagrams")  # each imports only from those before it
LONGEST_FILE = 400  # lines; aim at 300


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def modules(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


ALL_MODULES = [
    pytest.param(layer, path, id=path.relative_to(ROOT).as_posix())
    for layer in LAYERS
    for path in modules(layer)
]

# --- names ---------------------------------------------------------------------------------------


def test_links_and_package_dir_say_the_same() -> None:
    links = {
        f"bdevcheck.{path.name}": os.readlink(path)
        for path in (ROOT / "bdevcheck").iterdir()
        if path.is_symlink()
    }
    mapped = dict(project()["tool"]["setuptools"]["package-dir"])
    assert mapped.pop("bdevcheck") == "bdevcheck"
    assert links == {name: f"../{folder}" for name, folder in mapped.items()}
    assert sorted(mapped.values()) == sorted(LAYERS)


def test_every_package_is_declared() -> None:
    found = {
        ".".join(("bdevcheck", *path.parent.relative_to(ROOT).parts))
        for layer in LAYERS
        for path in modules(layer)
    }
    assert sorted(project()["tool"]["setuptools"]["packages"]) == sorted(
        found | {"bdevcheck", "bdevcheck.command"}
    )


def test_every_package_has_an_init_with_a_docstring() -> None:
    for folder in {path.parent for layer in LAYERS for path in modules(layer)}:
        tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), f"{folder.relative_to(ROOT)}/__init__.py has no docstring"


def test_package_data_covers_every_data_file() -> None:
    declared = project()["tool"]["setuptools"]["package-data"]
    for layer in LAYERS:
        folder = ROOT / layer
        globs = {glob for key in ("*", f"bdevcheck.{layer}") for glob in declared.get(key, ())}
        packed = {path for glob in globs for path in folder.glob(glob)}
        for package in {path.parent for path in modules(layer)}:
            packed |= {path for glob in declared["*"] for path in package.glob(glob)}
        for path in tracked_files():
            if folder in path.parents and path.suffix not in (".py", ".md"):
                assert path in packed, f"{path.relative_to(ROOT)} would be left out of the wheel"


def test_annotations_are_published() -> None:
    assert (ROOT / "bdevcheck" / "py.typed").read_bytes() == b""


# --- import direction ----------------------------------------------------------------------------


def imports_in(source: str, package: tuple[str, ...]) -> Iterator[str]:
    """Yield the absolute name of everything imported, wherever in the file it is imported."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            prefix = ".".join((*base, *filter(None, (node.module,))))
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def reversed_imports(layer: str, source: str, package: tuple[str, ...]) -> list[str]:
    """Return what a layer imports from above itself, and from the command line on top."""
    allowed = LAYERS[: LAYERS.index(layer) + 1]
    return [
        name
        for name in imports_in(source, package)
        if name.startswith("bdevcheck.") and name.split(".")[1] not in allowed
    ]


def bare_imports(source: str, package: tuple[str, ...]) -> list[str]:
    """Return imports of our folders by their bare name, which belongs to other distributions."""
    return [name for name in imports_in(source, package) if name.split(".")[0] in LAYERS]


@pytest.mark.parametrize(("layer", "path"), ALL_MODULES)
def test_imports_point_down_and_are_qualified(layer: str, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    package = ("bdevcheck", *path.parent.relative_to(ROOT).parts)
    assert not reversed_imports(layer, source, package)
    assert not bare_imports(source, package)


@pytest.mark.parametrize("name", ["tests", "benchmarks", "bdevcheck"])
def test_imports_are_qualified_above_the_layers_too(name: str) -> None:
    for path in [*(ROOT / name).glob("*.py"), *(ROOT / name / "command").glob("*.py")]:
        assert not bare_imports(path.read_text(encoding="utf-8"), (name,)), path.name


@pytest.mark.parametrize(
    "source",
    [
        "import bdevcheck.diagrams.dot",
        "from bdevcheck import conformance",
        "from bdevcheck.conformance import check",
        "from ..diagrams import dot",
        "def f():\n    from ... import diagrams",
        "from bdevcheck.cli import main",
    ],
)
def test_a_reversed_import_is_found(source: str) -> None:
    package = ("bdevcheck", "traces", "target") if "..." in source else ("bdevcheck", "traces")
    assert reversed_imports("traces", source, package)


def test_a_bare_import_is_found_and_a_relative_one_is_not_bare() -> None:
    assert bare_imports("from model import path", ("bdevcheck", "traces")) == ["model.path"]
    assert bare_imports("import traces.record", ("tests",)) == ["traces.record"]
    assert not bare_imports("from .model import path", ("bdevcheck", "traces"))


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("layer", "path"), ALL_MODULES)
def test_a_file_is_read_in_a_sitting(layer: str, path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{layer}: {lines} lines"


# --- hygiene -------------------------------------------------------------------------------------

# Written as patterns, so that this file does not hold what it looks for.
PERSONAL_PATH = re.compile(r"(?<![\w.$}~-])/(?:root|home/(?!user\b)\w+|Users/\w+)/[\w.]")
REGISTRY_HOST = re.compile(
    r"\b(?:pypi|npmjs|pythonhosted|debian|ubuntu|anaconda|crates)\.(?:org|com|net|io)\b"
)


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return what git tracks or would track; a tree without git has nothing to look at."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    paths = (ROOT / name for name in done.stdout.decode().split("\0") if name)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


def leaks(text: str) -> list[str]:
    """Return the places of this machine and the registries that a text names."""
    found = [match[0] for match in PERSONAL_PATH.finditer(text)]
    found += [match[0] for match in REGISTRY_HOST.finditer(text)]
    return found + [str(ROOT)] * (f"{ROOT}/" in text)


def test_no_file_names_a_machine_path_or_a_registry() -> None:
    files = tracked_files()
    if not files:
        pytest.skip("not a git work tree")
    corpus = ROOT / "traces" / "corpus"  # recordings are kept as their targets wrote them
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in files
        if corpus not in path.parents
        and (names := leaks(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert not found


def test_a_leak_is_found() -> None:
    for text in ("/root/" + "x", "/home/" + "ann/x", "files.pythonhosted" + ".org", f"{ROOT}/x"):
        assert leaks(text), text
    assert not leaks("/var/tmp/spdk.sock, docs.python.org, $HOME/root/x")
