"""`bdevcheck run`: the calls of a script or of a recording, sent to any target."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import EXIT_FAILS, EXIT_USAGE

if TYPE_CHECKING:
    from bdevcheck.traces.driver.drive import Answer, Pace

MAX_TEXT = 160
"""Characters of a reply that are shown to a person."""


@click.command()
@click.argument("script", metavar="SCRIPT")
@click.option("--socket", "address", default="/var/tmp/spdk.sock", show_default=True,
    metavar="PATH", help="The target's Unix socket, or tcp:HOST:PORT.")  # fmt: skip
@click.option(
    "--pace",
    type=click.Choice(["original", "full", "pipelined"]),
    default="full",
    show_default=True,
    help="original: at the times of the recording. full: each request when what had been answered "
    "before it is answered. pipelined: all at once.",
)
@click.option("--timeout", type=click.FloatRange(0.001), default=60.0, show_default=True,
    metavar="S", help="How long a reply is waited for.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one object a line for each request.")
def run(script: str, address: str, pace: Pace, timeout: float, *, as_json: bool) -> int:
    """Send SCRIPT to a target, and print what it answers.

    SCRIPT is a file of calls of rpc.py, of JSON requests a line, or a recording of the wire; `-` is
    standard input. Exit code: 0 if all was answered with a result, 1 if not, 2 if SCRIPT cannot be
    read or nobody is at the socket.

    bdevcheck run issue.sh --socket /tmp/spdk.sock
    """
    from bdevcheck.traces.driver.drive import Driver, LinkError
    from bdevcheck.traces.driver.script import read_script

    actions = read_script(script)
    refused = 0
    try:
        for answer in Driver(address, timeout).run(actions, pace):
            refused += answer.is_refused
            click.echo(_json(answer) if as_json else _text(answer))
            sys.stdout.flush()
    except LinkError as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_USAGE
    return EXIT_FAILS if refused else 0


def _json(answer: Answer) -> str:
    told = {"method": answer.method, "conn": answer.conn, "reply": answer.reply}
    return json.dumps({**told, **({"why": answer.why} if answer.why else {})})


def _text(answer: Answer) -> str:
    from bdevcheck.conformance.moment import printable

    reply = answer.reply
    if reply is None:
        said = answer.why
    elif "result" in reply:
        said = json.dumps(reply["result"])
    else:
        error = reply.get("error")
        known = error if isinstance(error, dict) else {}
        said = f"error {known.get('code')} {known.get('message')}"
    text = printable(f"{answer.method or '(nothing asked)'}: {said}")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
