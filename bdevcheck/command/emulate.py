"""`bdevcheck emulate`: a target that behaves as one version of SPDK does, on a socket."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import EXIT_FAILS, variant_options

if TYPE_CHECKING:
    from bdevcheck.model.variant import Variant
    from bdevcheck.traces.target.serve.address import Listener
    from bdevcheck.traces.target.serve.config import Step
    from bdevcheck.traces.target.settings import Settings
    from bdevcheck.traces.target.target import Target

LIST = "list"
SIGABRT_STATUS = 134
_STANDARD_ERROR = "-"


@click.command()
@click.option(
    "--socket",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Listen at this Unix socket, which only its owner may use.",
)
@click.option("--tcp", type=click.IntRange(0, 65535), metavar="PORT",
    help="Listen at this TCP port of this machine; 0: any that is free.")  # fmt: skip
@variant_options
@click.option("--wait-for-rpc", is_flag=True, help="Wait for framework_start_init.")
@click.option(
    "--clock",
    type=click.Choice(["real", "virtual"]),
    default="real",
    show_default=True,
    help="Let time pass as it does, or jump to what comes next once no client has spoken for a "
    "while: a window of one second takes no time.",
)
@click.option(
    "--grace",
    type=click.FloatRange(0.1, 60_000),
    default=500.0,
    show_default=True,
    metavar="MS",
    help="With the virtual clock: how long clients may be silent before time jumps, while none of "
    "them waits for an answer.",
)
@click.option("--seed", type=int, default=0, show_default=True,
    help="Decides what a target leaves to chance: its uuids.")  # fmt: skip
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder in which the contents of bdevs outlive the target.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Carry out this configuration (as save_config writes it) before clients are served.",
)
@click.option("--log", "log_file", type=click.Path(dir_okay=False, allow_dash=True),
    default=_STANDARD_ERROR, metavar="FILE",
    help="Append the target's log to FILE. Default: standard error.")  # fmt: skip
@click.option("-L", "--log-flag", "flags", multiple=True, metavar="FLAG",
    help="Write the DEBUG lines of this flag; may be repeated. Default: those that prove "
    "something of a bdev.")  # fmt: skip
@click.option("--rpc-log", "rpc_log_file", type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Append requests and replies to FILE; - : write them into the target's log.")  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="NAME",
    help=f"Plant a fault; may be repeated. `--fault {LIST}` lists them.")  # fmt: skip
@click.option("--abort", "abort", type=click.Choice(["exit", "stay"]), default="exit",
    show_default=True,
    help="Where a real target would abort: exit, or lie dead until a signal.")  # fmt: skip
@click.option("--abort-status", type=click.IntRange(0, 255), default=SIGABRT_STATUS,
    show_default=True, help="The exit code of a target that aborted.")  # fmt: skip
@click.option("--ready-fd", type=click.IntRange(0), metavar="N",
    help="Write a line to this descriptor, and close it, when clients are served.")  # fmt: skip
def emulate(
    socket: Path | None,
    tcp: int | None,
    variant: Variant,
    wait_for_rpc: bool,
    clock: str,
    grace: float,
    seed: int,
    state: Path | None,
    config: Path | None,
    log_file: str,
    flags: tuple[str, ...],
    rpc_log_file: str | None,
    faults: tuple[str, ...],
    abort: str,
    abort_status: int,
    ready_fd: int | None,
) -> int:
    """Serve JSON-RPC as a target of SPDK does, until a signal ends it.

    The client that SPDK ships drives it unchanged. A line on standard output says where it listens
    once it does. Exit code: 0 after SIGINT or SIGTERM, 134 where a real target would have aborted.
    """
    from bdevcheck.traces.target.attach import attach
    from bdevcheck.traces.target.serve import OnAbort, Pace, serve
    from bdevcheck.traces.target.settings import Settings

    if LIST in faults:
        return _list_faults()
    if socket is None and tcp is None:
        raise click.UsageError("say where to listen: --socket PATH, --tcp PORT, or both")
    if config and wait_for_rpc:
        raise click.UsageError("--config initialises the framework: no --wait-for-rpc with it")
    settings = Settings(variant, _known(faults), seed, wait_for_rpc or config is not None, state)
    with ExitStack() as stack:
        target = _begin(settings, stack.enter_context(_sink(log_file)), flags)
        into_log = rpc_log_file == _STANDARD_ERROR
        apart = rpc_log_file is not None and not into_log
        server = attach(
            target,
            rpc_log=stack.enter_context(_sink(str(rpc_log_file))) if apart else None,
            rpc_log_into_log=into_log,
        )
        steps = None if config is None else _steps(config)
        listeners = _listen(socket, tcp)
        serving = serve(
            server,
            listeners,
            Pace(is_virtual=clock == "virtual", idle_s=grace / 1000),
            OnAbort(abort_status, stays=abort == "stay"),
            lambda: _tell_ready(listeners, ready_fd),
            steps,
        )
        return _run(serving)


def _list_faults() -> int:
    from bdevcheck.traces.target.faults import FAULTS

    width = max(map(len, FAULTS))
    for fault in FAULTS.values():
        click.echo(f"{fault.name:<{width}}  breaks {fault.rule.name}: {fault.about}")
    return 0


def _known(faults: tuple[str, ...]) -> frozenset[str]:
    """Return the faults asked for, or say which there are."""
    from bdevcheck.command.support import named
    from bdevcheck.traces.target.faults import FAULTS

    return frozenset(named(name, FAULTS).name for name in faults)


@contextmanager
def _sink(file: str) -> Iterator[Callable[[str], None]]:
    """Yield what writes text at once, whatever bytes it stands for."""
    if file == _STANDARD_ERROR:
        yield lambda text: click.echo(text, nl=False, err=True)
        return
    with open(file, "a", encoding="utf-8", errors="surrogateescape", newline="") as stream:

        def write(text: str) -> None:
            stream.write(text)
            stream.flush()

        yield write


def _begin(settings: Settings, sink: Callable[[str], None], flags: tuple[str, ...]) -> Target:
    """Start a target whose time begins now."""
    from bdevcheck.traces.target.log import Log
    from bdevcheck.traces.target.reactor import Reactor
    from bdevcheck.traces.target.target import begin

    reactor = Reactor()
    log = Log(reactor, sink, epoch_ns=time.time_ns(), flags=set(flags or _telling_flags()))
    return begin(settings, reactor, log)


def _telling_flags() -> list[str]:
    """Return the flags of the lines by which a log proves something; they are named as files."""
    from bdevcheck.traces.fact import ROWS

    return sorted({row.place.split(".")[0] for row in ROWS if row.level in ("DEBUG", "INFO")})


def _listen(path: Path | None, port: int | None) -> list[Listener]:
    from bdevcheck.traces.target.serve.address import AddressError, listen_tcp, listen_unix

    listeners: list[Listener] = []
    try:
        if path is not None:
            listeners.append(listen_unix(path))
        if port is not None:
            listeners.append(listen_tcp(port))
    except AddressError as error:
        for listener in listeners:
            listener.close()
        raise click.UsageError(str(error)) from error
    return listeners


def _tell_ready(listeners: list[Listener], descriptor: int | None) -> None:
    text = f"listening at {', '.join(listener.name for listener in listeners)}"
    click.echo(text)
    sys.stdout.flush()
    if descriptor is not None:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(f"{text}\n")


def _steps(config: Path) -> list[Step]:
    from bdevcheck.traces.target.serve.config import ConfigError, read

    try:
        return read(config)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error


def _run(serving: Coroutine[None, None, int]) -> int:
    """Serve to the end; a target that cannot be configured ends as a real one does."""
    from bdevcheck.traces.target.serve import ConfigError

    try:
        return asyncio.run(serving)
    except ConfigError as error:
        click.echo(f"bdevcheck: the configuration failed: {error}", err=True)
        return EXIT_FAILS
