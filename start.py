#!/usr/bin/env python3
"""Set bdevcheck up in .venv and run it; needs nothing but Python.

    python3 start.py demo [--picture FILE]   check a recording of SPDK issue 3413 and draw it
    python3 start.py test [PYTEST-ARG ...]   ruff, mypy and pytest
    python3 start.py run ARG ...             bdevcheck ARG ... in the environment

Exit codes: those of what is run; 2 when the environment cannot be set up, 130 when interrupted.
"""

# This file keeps to what Python 3.6 can parse and run, so that an old one is told so plainly.

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
NEWEST_LOOKED_FOR = 30
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "bdevcheck-stamp.json"
INPUTS = ("pyproject.toml", "constraints.txt")
LINKS = ("model", "traces", "conformance", "diagrams")
RECORDING = "traces/corpus/before-fix/a1_issue3413_one_connection"
PICTURE = "out/issue-3413.svg"
VIOLATES = 1  # exit code of `bdevcheck check`


class SetupError(Exception):
    """Say what stands in the way and what to do about it."""


def main(args: "list[str]") -> int:
    """Run one subcommand and return the exit code."""
    command = args[0] if args else "--help"
    if command in ("-h", "--help", "help"):
        print(__doc__)
        return 0 if args else 2
    if command not in COMMANDS:
        say(f"unknown command {command!r}; there are: {', '.join(COMMANDS)}")
        return 2
    try:
        require_python(args)
        require_links(ROOT / "bdevcheck")
        prepare()
        return COMMANDS[command](args[1:])
    except SetupError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("\ninterrupted; run the same command again to go on")
        return 130


# --- the three commands --------------------------------------------------------------------------


def demo(args: "list[str]") -> int:
    """Check the recording of issue 3413; the violation is what the demo is there to show."""
    picture = demo_picture(args)
    file = ROOT / picture
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_file():
        file.unlink()
    recording = [RECORDING + ".wire.jsonl", RECORDING + ".log"]
    code = call(tool("bdevcheck", "check", *recording, "--picture", picture), cwd=ROOT)
    # A Python that dies of an exception exits with 1 too: only with its picture is 1 a verdict.
    if code != VIOLATES or not file.is_file():
        drew = "the" if file.is_file() else "no"
        say(f"The demo expects exit code {VIOLATES} (violates); got {code} and {drew} picture.")
        return code or 1
    show(f"The check exited with {code} = violates, as this recording must; the demo exits with 0.")
    show(f"Picture: {os.path.relpath(str(file))}")
    return 0


def demo_picture(args: "list[str]") -> str:
    """Return where the picture goes: a given file counts from the caller's folder."""
    if not args:
        return PICTURE
    if len(args) == 2 and args[0] == "--picture":
        return str(Path(args[1]).absolute())
    if len(args) == 1 and args[0].startswith("--picture="):
        return str(Path(args[0].split("=", 1)[1]).absolute())
    raise SetupError(f"demo takes --picture FILE only, got: {shell_line(args)}")


def test(args: "list[str]") -> int:
    """Run every step, even after one failed, and fail when any did."""
    steps = (tool("ruff", "check", "."), tool("mypy"), tool("pytest", "-q", *args))
    failed = []
    for step in steps:
        name, begin = step[3], time.monotonic()
        show(f"== {name}")
        code = call(step, cwd=ROOT)
        show(f"== {name}: {'passed' if code == 0 else f'FAILED ({code})'}, {since(begin)}")
        failed += [name] if code else []
    if failed:
        show(f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


def run(args: "list[str]") -> int:
    """Run `bdevcheck ARG ...` in the caller's folder."""
    return call(tool("bdevcheck", *args))


COMMANDS = {"demo": demo, "test": test, "run": run}


# --- what must be there --------------------------------------------------------------------------


def require_python(args: "list[str]") -> None:
    """Go on in a newer Python when this one is too old, or say what is needed."""
    if sys.version_info >= OLDEST:
        return
    newer = newer_python()
    found = ".".join(map(str, sys.version_info[:3]))
    if newer is None:
        raise SetupError(
            f"bdevcheck needs Python {dotted(OLDEST)} or newer; this is {found} ({sys.executable})"
            " and no newer python3.x is on PATH"
        )
    say(f"Python {found} is too old; going on with {newer}")
    os.execv(newer, [newer, str(Path(__file__).resolve()), *args])


def newer_python() -> "str | None":
    """Return the oldest Python on PATH that is new enough: its wheels are the surest to exist."""
    for minor in range(OLDEST[1], NEWEST_LOOKED_FOR):
        path = shutil.which(f"python3.{minor}")
        # A version manager's shim may be on PATH without the Python behind it.
        if path and version_of(path) is not None:
            return path
    return None


def require_links(package: Path) -> None:
    """Refuse a tree whose links were checked out as text files or lost."""
    broken = [name for name in LINKS if not (package / name).is_dir()]
    if broken:
        raise SetupError(
            f"bdevcheck/{broken[0]} must be a symbolic link to ../{broken[0]}, but is"
            f" {'a plain file' if (package / broken[0]).is_file() else 'missing or dangling'}"
            f" (as are: {', '.join(broken[1:]) or 'no others'}).\n"
            "The usual cause is a checkout without symbolic links. In a git clone:\n"
            "    git config core.symlinks true && git checkout -- bdevcheck"
        )


# --- the environment -----------------------------------------------------------------------------


def prepare() -> None:
    """Bring .venv to what pyproject.toml and constraints.txt ask for; usually nothing to do."""
    target = wanted(sys.version_info[:2], ROOT)
    found = version_of(str(VENV / "bin" / "python"), "pip")
    step = plan(found, target, read_stamp(STAMP))
    if step == "nothing":
        return
    if step == "create":
        create_venv()
    install()
    STAMP.write_text(json.dumps(target, indent=1) + "\n", encoding="utf-8")


def wanted(version: "tuple[int, int]", root: Path) -> "dict[str, str]":
    """Return what the environment depends on: the Python, the tree's place, and two files."""
    digest = hashlib.sha256(b"\0".join((root / name).read_bytes() for name in INPUTS))
    return {"python": dotted(version), "root": str(root), "inputs": digest.hexdigest()}


def plan(found: "str | None", target: "dict[str, str]", stamp: "dict[str, str] | None") -> str:
    """Decide from the version in .venv (None: absent or unusable), the wish, and the stamp.

    The stamp is removed before and written after an installation, so an interrupted one is redone.
    """
    if found != target["python"]:
        return "create"
    return "nothing" if stamp == target else "install"


def read_stamp(path: Path) -> "dict[str, str] | None":
    """Return the stamp of the last complete installation, None when there is none to trust."""
    try:
        stamp = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) else None


def version_of(python: str, *modules: str) -> "str | None":
    """Return "3.11" for a Python that runs and has the modules, None otherwise."""
    code = "; ".join(f"import {name}" for name in ("sys", *modules))
    code += "; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return None
    return done.stdout.decode().strip() if done.returncode == 0 else None


def create_venv() -> None:
    """Make .venv anew with the running Python."""
    if version_of(sys.executable, "ensurepip", "venv") is None:
        install_venv_module()
    if VENV.is_symlink() or VENV.is_file():
        raise SetupError(f"{VENV} is not a folder; please move it away")
    quietly(
        f"making .venv with Python {dotted(sys.version_info[:3])}",
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
    )


def install_venv_module() -> None:
    """Get what Debian and its relatives leave out of Python, or say how to."""
    commands = venv_module_commands(sys.version_info[:2])
    if not shutil.which("apt-get"):
        raise SetupError(
            f"{sys.executable} comes without the modules venv and ensurepip;"
            " install them with your system's package manager and run this again"
        )
    if os.geteuid() != 0:
        line = " && ".join("sudo " + shell_line(command) for command in commands)
        raise SetupError(
            f"Python's module ensurepip is missing. Type this, then run again:\n    {line}"
        )
    say("Python's module ensurepip is missing: as root, installing it with apt-get")
    for command in commands:
        quietly(shell_line(command), command, dict(os.environ, DEBIAN_FRONTEND="noninteractive"))


def venv_module_commands(version: "tuple[int, int]") -> "list[list[str]]":
    """Return the commands that install venv for one version of Python on Debian."""
    package = f"python{dotted(version)}-venv"
    return [["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package]]


def install() -> None:
    """Install the tree, editable and with what its tests need, at the pinned versions."""
    if STAMP.exists():
        STAMP.unlink()
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    constraints = ["--constraint", "constraints.txt"]
    quietly(
        "installing bdevcheck and what it needs into .venv (a minute or so, once)",
        [*pip, "--no-input", *constraints, "--editable", ".[test]"],
    )


# --- small tools ---------------------------------------------------------------------------------


def tool(module: str, *args: str) -> "list[str]":
    """Return a command line in the environment; -P keeps the caller's folder off sys.path."""
    return [str(VENV / "bin" / "python"), "-P", "-m", module, *args]


def call(command: "list[str]", cwd: "Path | None" = None) -> int:
    """Run a command that owns the terminal; on Ctrl-C let it finish its own farewell first."""
    with subprocess.Popen(command, cwd=cwd) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()  # a second Ctrl-C ends the wait, and `with` still reaps the child
            raise


def quietly(what: str, command: "list[str]", env: "dict[str, str] | None" = None) -> None:
    """Run a set-up step behind one line; show its output only when it fails."""
    begin = time.monotonic()
    print(what, end=" ... ", file=sys.stderr, flush=True)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode:
        say(f"FAILED, {since(begin)}")
        text = done.stdout.decode(errors="replace").rstrip()
        raise SetupError(f"{text}\n\nfailed ({done.returncode}): {shell_line(command)}")
    say(since(begin))


def shell_line(command: "list[str]") -> str:
    """Return a command as one would type it."""
    return " ".join(map(shlex.quote, command))


def since(begin: float) -> str:
    """Return the seconds since `time.monotonic()` said begin."""
    return f"{time.monotonic() - begin:.1f} s"


def dotted(version: "tuple[int, ...]") -> str:
    """Return (3, 11) as "3.11"."""
    return ".".join(map(str, version))


def show(text: str) -> None:
    """Write one line of the result."""
    print(text, flush=True)


def say(text: str) -> None:
    """Write one line about setting up, or of complaint, beside what `run` prints."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
