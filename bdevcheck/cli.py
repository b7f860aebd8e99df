"""The command line: one file a command in `bdevcheck.command`.

Exit codes: 0 conforms (or every property holds), 1 violates or unexplained (or a property fails),
2 usage, unreadable input or unwritable output, 3 undecided, 70 an error of bdevcheck itself,
130 interrupted, 141 nobody read the output to its end.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper

import click

from bdevcheck.command.catalogue import catalogue
from bdevcheck.command.check import check
from bdevcheck.command.compare import compare
from bdevcheck.command.convert import convert
from bdevcheck.command.draw import draw
from bdevcheck.command.emulate import emulate
from bdevcheck.command.explore import explore
from bdevcheck.command.export import export
from bdevcheck.command.record import record
from bdevcheck.command.run import run
from bdevcheck.command.shorten import shorten
from bdevcheck.command.support import (
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_PIPE,
    EXIT_USAGE,
)
from bdevcheck.traces.record import InputError

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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option("0.1.0", prog_name="bdevcheck")
def cli() -> None:
    """Check recorded SPDK JSON-RPC traces against the life cycle of block devices.

    \b
    bdevcheck check run.wire.jsonl target.log     was the target wrong, or the client?
    bdevcheck shorten run.jsonl -o few.wire.jsonl the part that shows a violation
    bdevcheck explore issue-3413 --variant buggy  what can happen in a version of SPDK
    bdevcheck compare issue-3413                  what a client sees in one version alone
    bdevcheck catalogue bdev_raid_create          when each version answers a method
    bdevcheck export issue-3413 --to promela      for SPIN, TLC and others
    bdevcheck convert calls.txt -o run.jsonl      a trace in another form
    bdevcheck draw raid -o raid.svg               a life cycle as a picture
    bdevcheck emulate --socket target.sock        a target that behaves as SPDK does
    bdevcheck record --listen p.sock -o run.jsonl what crosses a target's socket
    bdevcheck run calls.sh --socket spdk.sock     what a target answers to a script
    """


for each in (
    check, shorten, explore, compare, draw, catalogue, export, convert, emulate, record, run
):  # fmt: skip
    cli.add_command(each)
