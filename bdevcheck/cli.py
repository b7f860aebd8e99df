"""The command line: `bdevcheck check | explore | draw`.

Exit codes: 0 conforms (or every property holds), 1 violates or unexplained (or a property fails),
2 usage, unreadable input or unwritable output, 3 undecided, 70 an error of bdevcheck itself,
130 interrupted, 141 nobody read the output to its end.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bdevcheck.model.rule import RULES
from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.merge import DEFAULT_TOLERANCE_NS
from bdevcheck.traces.record import InputError

if TYPE_CHECKING:
    import graphviz
    from rich.console import Console

    from bdevcheck.conformance.verdict import Report
    from bdevcheck.model.compose import System

EXIT_FAILS, EXIT_USAGE, EXIT_UNDECIDED, EXIT_INTERNAL = 1, 2, 3, 70
EXIT_INTERRUPTED, EXIT_PIPE = 130, 141  # 128 + SIGINT, 128 + SIGPIPE: what a shell says
_DEBUG = "BDEVCHECK_DEBUG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; nothing escapes as a traceback."""
    _escape_what_cannot_be_encoded()
    try:
        code = cli.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="bdevcheck",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except InputError as error:
        return _fail(EXIT_USAGE, _describe(error))
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        return _fail(EXIT_INTERRUPTED, "interrupted")
    except (BrokenPipeError, SystemExit):
        # The reader has gone (`| head`): nothing is left to say, and nobody to say it to. Click and
        # rich make it SystemExit(1) and nothing else so, but 1 would say "violates".
        _give_up_output()
        return EXIT_PIPE
    except OSError as error:
        _give_up_output()
        return _fail(EXIT_USAGE, f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        if os.environ.get(_DEBUG):
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}"
        hint = f"this is a fault of bdevcheck, please report it (details with {_DEBUG}=1)"
        return _fail(EXIT_INTERNAL, f"{what}\n{hint}")
    return code if isinstance(code, int) else 0


def _escape_what_cannot_be_encoded() -> None:
    """Let no name and no arrow stop a report: names may hold half a surrogate pair."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _give_up_output() -> None:
    """Let what is left of the output go nowhere, so that it cannot fail once more at the end."""
    with suppress(OSError, ValueError):  # not a file: nothing will be written at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(code: int, message: str) -> int:
    click.echo(f"bdevcheck: {message}", err=True)
    return code


def _describe(error: InputError) -> str:
    place = f"{error.path}:{error.line}" if error.line else error.path
    return f"{place}: {error.message}\nallowed: {error.allowed}"


def _drawable(_context: click.Context, _option: click.Parameter, path: str | None) -> Path | None:
    """Refuse a picture of an unknown format before the work, not after it."""
    if path is None:
        return None
    from bdevcheck.diagrams.render import FORMATS

    if Path(path).suffix.lower() not in {f".{each}" for each in FORMATS}:
        allowed = ", ".join(f".{each}" for each in FORMATS)
        raise click.BadParameter(f"{path!r} does not end in one of: {allowed}")
    return Path(path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option("0.1.0", prog_name="bdevcheck")
def cli() -> None:
    """Check recorded SPDK JSON-RPC traces against the life cycle of block devices.

    \b
    bdevcheck check run.wire.jsonl target.log     was the target wrong, or the client?
    bdevcheck explore issue-3413 --variant buggy  what can happen in a version of SPDK
    bdevcheck draw raid -o raid.svg               a life cycle as a picture
    """


# -- check ---------------------------------------------------------------------------------------


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    type=click.Choice(list(RULES)),
    help="Judge only this rule; may be repeated. Default: all.",
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False),
    callback=_drawable,
    help="Draw the violations; FILE ends in .svg, .png or .dot (-2, -3 ... before it for more).",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every undecided obligation.")
@click.option(
    "--tolerance",
    type=click.IntRange(min=0),
    default=DEFAULT_TOLERANCE_NS // 1000,
    show_default=True,
    metavar="US",
    help="How far apart, in microseconds, a time of the wire and one of the log must be to be "
    "ordered.",
)
@click.option(
    "--log-utc-offset",
    type=click.FloatRange(-14, 14),
    metavar="HOURS",
    help="Zone of the log's times, east of UTC. Default: found by comparing with the wire.",
)
def check(
    files: tuple[str, ...],
    as_json: bool,
    rules: tuple[str, ...],
    picture: Path | None,
    verbose: bool,
    tolerance: int,
    log_utc_offset: float | None,
) -> int:
    """Judge a recording: the wire, the target's log, or both.

    FILE is a recording of the JSON-RPC wire (JSON lines), the log of the same run, or one of each;
    .gz and .zst open by themselves, `-` is standard input. What each file is, is found by looking
    at it.

    Ends with 0 if the trace conforms, 1 if it violates a rule or cannot be explained, 2 if it
    cannot be read, 3 if it does not decide everything.
    """
    from bdevcheck import conformance
    from bdevcheck.traces import load

    if files.count("-") > 1:
        raise click.BadParameter("standard input, `-`, can be read only once")
    offset = None if log_utc_offset is None else round(log_utc_offset * 3600)
    trace = load(list(files), tolerance_ns=tolerance * 1000, utc_offset_s=offset)
    with _progress("judging", "stacks of bdevs") as update:
        report = conformance.check(trace, rules=rules, progress=update)
    _print_report(report, as_json=as_json, verbose=verbose)
    if picture is not None:
        _draw_violations(report, picture)
    return _exit_code(report)


def _print_report(report: Report, *, as_json: bool, verbose: bool) -> None:
    if as_json:
        from bdevcheck.conformance.document import document_of

        click.echo(json.dumps(document_of(report), indent=2))
        return
    from bdevcheck.conformance.text import lines_of

    console = _console()
    for line in lines_of(report, verbose=verbose):
        console.print(line, soft_wrap=True)


def _draw_violations(report: Report, path: Path) -> None:
    from bdevcheck.diagrams.render import write
    from bdevcheck.diagrams.timeline import draw_report

    pictures = draw_report(report)
    if not pictures:
        click.echo("no violation, so there is no picture to draw", err=True)
    for number, drawn in enumerate(pictures, 1):
        name = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        click.echo(f"picture: {_write(drawn, name, write)}", err=True)


def _exit_code(report: Report) -> int:
    from bdevcheck.conformance.verdict import Verdict

    codes = {
        Verdict.CONFORMS: 0,
        Verdict.VIOLATES: EXIT_FAILS,
        Verdict.UNEXPLAINED: EXIT_FAILS,
        Verdict.UNDECIDED: EXIT_UNDECIDED,
    }
    return codes[report.verdict]


# -- explore -------------------------------------------------------------------------------------


@cli.command()
@click.argument("name", required=False, metavar="[SYSTEM]")
@click.option(
    "--variant",
    type=click.Choice(list(VARIANTS)),
    default="modern",
    show_default=True,
    help="Which version of SPDK: "
    + "; ".join(f"{each.name} = {each.about}" for each in VARIANTS.values()),
)
@click.option(
    "--max-states",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    help="Stop after so many states, with what is known then.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def explore(name: str | None, variant: str, max_states: int, as_json: bool) -> int:
    """Explore a system exhaustively and decide its properties.

    Without SYSTEM, lists the systems. Ends with 0 if every property holds, 1 if one fails (the
    shortest path to it is printed), 3 if the bound was reached before all were decided.
    """
    from bdevcheck.model.explore import explore as search
    from bdevcheck.model.systems import SYSTEMS
    from bdevcheck.model.verify import verify
    from bdevcheck.narrate import document_of, lines_of, list_systems

    if name is None:
        click.echo("\n".join(list_systems()))
        return 0
    system = _named(name, SYSTEMS)(VARIANTS[variant])
    with _progress("exploring", "states") as update:
        found = search(
            system,
            max_states=max_states,
            progress=lambda states, _steps, left: update(states - left, states),
        )
    findings = verify(found)
    if as_json:
        click.echo(json.dumps(document_of(found, findings, variant), indent=2))
    else:
        console = _console()
        for line in lines_of(found, findings, VARIANTS[variant]):
            console.print(line, soft_wrap=True)
    if any(finding.holds is False for finding in findings):
        return EXIT_FAILS
    return EXIT_UNDECIDED if any(finding.holds is None for finding in findings) else 0


# -- draw ----------------------------------------------------------------------------------------


@cli.command()
@click.argument("name", metavar="NAME")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    callback=_drawable,
    help="Where to write; ends in .svg, .png or .dot. Default: NAME.svg here.",
)
@click.option(
    "--variant",
    type=click.Choice(list(VARIANTS)),
    default="modern",
    show_default=True,
    help="Of a system: which version of SPDK; `bdevcheck explore --help` says what each is.",
)
@click.option(
    "--form",
    type=click.Choice(["graph", "counterexample", "sequence"]),
    default="graph",
    show_default=True,
    help="Of a system: its states (condensed where they are many), the first counterexample drawn "
    "over them, or that counterexample as a sequence chart.",
)
def draw(name: str, output: Path | None, variant: str, form: str) -> int:
    """Draw a life cycle or a system.

    NAME is a machine (bdev, rpc, raid ...) or a system (issue-3413 ...); `bdevcheck draw list`
    names them all. A violation in a trace is drawn by `bdevcheck check --picture`.
    """
    from bdevcheck.diagrams.dot import draw_machine
    from bdevcheck.diagrams.render import write
    from bdevcheck.model.machines import MACHINES
    from bdevcheck.model.systems import SYSTEMS

    if name == "list":
        click.echo("machines: " + ", ".join(MACHINES))
        click.echo("systems:  " + ", ".join(SYSTEMS))
        return 0
    path = output or Path(f"{name}.svg")
    if name in MACHINES:
        if form != "graph":
            raise click.BadParameter(f"{name} is a machine, and machines have one form: graph")
        picture = draw_machine(MACHINES[name])
    else:
        _named(name, {**MACHINES, **SYSTEMS})
        picture = _draw_system(SYSTEMS[name](VARIANTS[variant]), variant, form)
    click.echo(f"picture: {_write(picture, path, write)}")
    return 0


def _draw_system(system: System, variant: str, form: str) -> graphviz.Digraph:
    from bdevcheck.narrate import draw_system

    picture = draw_system(system, form)
    if picture is None:
        why = f"every property of {system.name} holds for variant {variant}"
        raise click.UsageError(f"{why}: nothing to draw; try another --variant, or --form graph")
    return picture


# -- helpers -------------------------------------------------------------------------------------


_T = TypeVar("_T")


def _named(name: str, known: Mapping[str, _T]) -> _T:
    if name not in known:
        raise click.BadParameter(f"no {name!r}; there are: {', '.join(known)}")
    return known[name]


def _write(
    picture: graphviz.Digraph, path: Path, write: Callable[[graphviz.Digraph, Path], Path]
) -> Path:
    """Write a picture; what stands in the way is the user's to mend, so it is a usage error."""
    from bdevcheck.diagrams.render import RenderError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return write(picture, path)
    except (ValueError, OSError, RenderError) as error:
        raise click.UsageError(str(error)) from error


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


@contextmanager
def _progress(verb: str, what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a long run is, after its first second, where a person watches."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    begun = time.monotonic()
    with console.status("") as status:
        status.stop()

        def update(done: int, total: int) -> None:
            elapsed = time.monotonic() - begun
            if elapsed > 1:
                status.start()
                status.update(f"{verb}: {done:,} of {total:,} {what} in {elapsed:.0f} s")

        yield update
