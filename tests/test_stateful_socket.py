"""Stateful runs against a target behind a socket: it is not fresh, and time passes by itself."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from bdevcheck.conformance import Verdict
from bdevcheck.conformance.stateful import (
    LinkError,
    Session,
    SocketLink,
    ViolationError,
    machine_for,
)
from tests.command import command

MALLOC = {"name": "a", "num_blocks": 131072, "block_size": 512}
DELAY = {"name": "b", "base_bdev_name": "a", "avg_read_latency": 0, "p99_read_latency": 0,
         "avg_write_latency": 0, "p99_write_latency": 0}  # fmt: skip
LOOK = "bdev_get_bdevs"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bdc-") as path:
        yield Path(path)


@pytest.fixture
def target(folder: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    options = getattr(request, "param", ["--clock", "virtual"])
    arguments = ["emulate", "--socket", str(folder / "s"), "--log", str(folder / "log"), *options]
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.terminate()


def names_at(folder: Path) -> list[str]:
    session = Session(SocketLink(folder / "s"))
    reply = session.replies[session.call(1, LOOK, {}, wait=True)]
    session.close()
    assert reply is not None
    found = reply["result"]
    assert isinstance(found, list)
    return [each["name"] for each in found]


@pytest.mark.usefixtures("target")
def test_session_over_a_socket_is_answered_on_several_connections_and_judged(folder: Path) -> None:
    session = Session(SocketLink(folder / "s"))
    first = session.call(1, "bdev_malloc_create", MALLOC, wait=False)
    second = session.call(2, "rpc_get_methods", {}, wait=True)
    report = session.judge()
    session.close()
    assert all("result" in (session.replies[number] or {}) for number in (first, second))
    assert report.verdict is Verdict.UNDECIDED  # there is no log
    assert report.obligations["answered"].kept == 2


@pytest.mark.usefixtures("target")
def test_run_takes_away_what_it_has_made_with_what_stands_on_it(folder: Path) -> None:
    session = Session(SocketLink(folder / "s"))
    session.call(1, "bdev_malloc_create", MALLOC, wait=True)
    session.call(1, "bdev_delay_create", DELAY, wait=True)
    session.call(1, "bdev_null_create", {**MALLOC, "name": "n"}, wait=True)
    assert sorted(names_at(folder)) == ["a", "b", "n"]
    session.tidy()
    session.close()
    assert names_at(folder) == []


@pytest.mark.parametrize("target", [["--clock", "virtual", "--fault", "lookup-misses"]],
                         indirect=True)  # fmt: skip
@pytest.mark.usefixtures("target")
def test_fault_behind_a_socket_is_found_made_short_and_tidied_up(folder: Path) -> None:
    machine = machine_for(
        lambda: SocketLink(folder / "s"),
        methods=("bdev_malloc_create", LOOK),
        connections=1,
        names=("bdevcheck0", "bdevcheck1"),
        tidy=True,
    )
    profile = settings(
        max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate]
    )
    with pytest.raises(ViolationError) as violation:
        run_state_machine_as_test(machine, settings=profile)
    script = str(violation.value).partition("To see it again:")[2].split("rpc.py ")[1:]
    assert "lookup-consistency" in str(violation.value)
    assert all("bdevcheck" in line for line in script if "create" in line)
    assert len(script) <= 4
    assert names_at(folder) == []


@pytest.mark.parametrize("target", [["-L", "bdev"]], indirect=True)
@pytest.mark.usefixtures("target")
def test_log_of_the_target_is_read_from_where_it_was_at_the_start(folder: Path) -> None:
    before = Session(SocketLink(folder / "s"))
    before.call(1, "bdev_malloc_create", {**MALLOC, "name": "old"}, wait=True)
    before.close()
    link = SocketLink(folder / "s", folder / "log")
    session = Session(link)
    session.call(1, "bdev_malloc_create", MALLOC, wait=True)
    session.call(1, "bdev_malloc_delete", {"name": "a"}, wait=True)
    session.call(1, "bdev_malloc_create", MALLOC, wait=True)
    report = session.judge()
    log = link.log()
    session.close()
    assert log is not None
    assert {line.fact.name for line in log.lines if line.fact is not None} == {"a"}
    assert report.obligations["create-after-register"].kept >= 1


def test_target_that_goes_away_ends_the_run(folder: Path, target: subprocess.Popen[str]) -> None:
    link = SocketLink(folder / "s")
    session = Session(link)
    session.call(1, LOOK, {}, wait=True)
    target.terminate()
    target.wait()
    assert link.wait(lambda: False, 10**10)
    session.close()


def test_nobody_at_the_socket_is_said(folder: Path) -> None:
    with pytest.raises(LinkError):
        Session(SocketLink(folder / "s")).call(1, LOOK, {}, wait=True)
