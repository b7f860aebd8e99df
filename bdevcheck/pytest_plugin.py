"""The pytest plugin: a socket that is recorded, and a test that fails where a promise was broken.

    def test_raid_can_be_used_at_once(bdevcheck_socket):
        subprocess.run(["my-deployment", "--rpc-socket", bdevcheck_socket], check=True)

    def test_random_calls(bdevcheck_search):
        bdevcheck_search(runs=200, known_in="modern")

`--bdevcheck-socket PATH` names the target; without it each test gets an emulated one of its own, in
virtual time, of the version that `--bdevcheck-variant` names. A test that passes although the
verdict is undecided has proven nothing against the target, and nothing for it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DEFAULT_VARIANT = "modern"
SEARCH_NAMES = ("bdevcheck0", "bdevcheck1", "bdevcheck2", "bdevcheck3")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("bdevcheck", "check SPDK targets")
    group.addoption(
        "--bdevcheck-socket", metavar="PATH", help="The target's socket; default: an emulated one."
    )
    group.addoption(
        "--bdevcheck-variant",
        default=DEFAULT_VARIANT,
        metavar="NAME",
        help="Which version an emulated target behaves as (default: %(default)s).",
    )


@contextmanager
def _emulated(folder: Path, variant: str) -> Iterator[Path]:
    """Serve an emulated target in a process of its own."""
    path = folder / "target.sock"
    command = [sys.executable, "-m", "bdevcheck", "emulate", "--socket", str(path)]
    options = ["--variant", variant, "--clock", "virtual", "--log", str(folder / "target.log")]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None, "it was asked for"
        ready = process.stdout.readline()
        try:
            if not ready:
                raise pytest.UsageError(f"no target could be emulated as {variant!r}")
            yield path
        finally:
            process.terminate()


@pytest.fixture
def _bdevcheck_folder() -> Iterator[Path]:
    """Yield a folder for sockets: their paths must be short (108 bytes), as pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="bdevcheck-") as folder:
        yield Path(folder)


@pytest.fixture
def bdevcheck_target(request: pytest.FixtureRequest, _bdevcheck_folder: Path) -> Iterator[Path]:
    """Yield the socket of the target: the one that was named, or an emulated one."""
    named = request.config.getoption("--bdevcheck-socket")
    if named:
        yield Path(named)
        return
    with _emulated(_bdevcheck_folder, request.config.getoption("--bdevcheck-variant")) as path:
        yield path


@pytest.fixture
def bdevcheck_search(bdevcheck_target: Path) -> Callable[..., None]:
    """Return what makes random calls to the target, and fails where it breaks a promise.

    It takes `runs`, `steps` (calls in a run) and the options of
    `bdevcheck.conformance.stateful.machine_for`; it needs hypothesis. Bdevs get names of their own,
    and each run deletes what it has made.
    """

    def search(runs: int = 100, steps: int = 20, **options: Any) -> None:
        from hypothesis import HealthCheck, Phase, settings
        from hypothesis.stateful import run_state_machine_as_test

        from bdevcheck.conformance.stateful import SocketLink, machine_for

        options = {"names": SEARCH_NAMES, "tidy": True, **options}
        machine = machine_for(lambda: SocketLink(bdevcheck_target), **options)
        profile = settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # what is found is made short by runs of its parts
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(machine, settings=profile)

    return search


@pytest.fixture
def bdevcheck_socket(
    bdevcheck_target: Path, _bdevcheck_folder: Path, tmp_path: Path
) -> Iterator[str]:
    """Yield a recorded socket before the target; fail the test if the target broke a promise."""
    from bdevcheck.conformance import check_files
    from bdevcheck.conformance.text import lines_of
    from bdevcheck.traces.recorder import recording

    trace = tmp_path / "bdevcheck.wire.jsonl"
    with recording(str(bdevcheck_target), _bdevcheck_folder / "rpc.sock", trace) as path:
        yield str(path)
    report = check_files([str(trace)])
    if report.violations or report.unexplained:
        told = "\n".join(line.plain for line in lines_of(report))
        pytest.fail(
            f"the target broke a promise\n\n{told}\n\nThe recording: {trace}", pytrace=False
        )
