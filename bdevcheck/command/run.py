"""`bdevcheck run`: the calls of a script or of a recording, sent to any target."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from bdevcheck.command.support import EXIT_FAILS, EXIT_USAGE, progress

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
    help="original: at the times of the recording, or of `t` in JSON. full: each request when what "
    "had been answered before it is answered. pipelined: all at once.",
)
@click.option("--timeout", type=click.FloatRange(0.001), default=60.0, show_default=True,
    metavar="S", help="How long a reply is waited for.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one object a line for each request.")
def run(script: str, address: str, pace: Pace, timeout: float, *, as_json: bool) -> int:
    """Send SCRIPT to a target, and print what it answers.

    SCRIPT is a file of calls of rpc.py, of JSON requests a line, or a recording of the wire; `-` is
    standard input. Of a recording, it is also said how far the replies agree with the recorded
    ones, by method.

    Exit code: 0 if all was answered with a result (of a recording: with a result or an error, as
    recorded), 1 if not, 2 if SCRIPT cannot be read or nobody is at the socket.

    bdevcheck run issue.sh --socket /tmp/spdk.sock
    """
    from bdevcheck.traces.driver.action import all_asks
    from bdevcheck.traces.driver.agreement import Agreement
    from bdevcheck.traces.driver.drive import Driver, LinkError
    from bdevcheck.traces.driver.report import document, lines_of
    from bdevcheck.traces.driver.script import read_script

    actions = read_script(script)
    total = sum(1 for _ in all_asks(actions))
    driver, agreement = Driver(address, timeout), Agreement()
    is_expected = True
    try:
        with progress("running", "requests") as say:
            for number, answer in enumerate(driver.run(actions, pace), 1):
                is_expected &= answer.is_expected
                if answer.recorded is not None:
                    agreement.take(answer.method, answer.recorded, answer.reply, driver.uuids)
                click.echo(_json(answer) if as_json else _text(answer))
                sys.stdout.flush()
                say(number, total)
    except LinkError as error:
        click.echo(f"bdevcheck: {error}", err=True)
        return EXIT_USAGE
    if agreement.replies:
        click.echo(json.dumps(document(agreement)) if as_json else "\n".join(lines_of(agreement)))
    return 0 if is_expected else EXIT_FAILS


def _json(answer: Answer) -> str:
    told = {"method": answer.method, "conn": answer.conn, "reply": answer.reply}
    text = json.dumps({**told, **({"why": answer.why} if answer.why else {})})
    # A number beyond all bounds is none in JSON, so its name stands there.
    return json.dumps(json.loads(text, parse_constant=str))


def _text(answer: Answer) -> str:
    from bdevcheck.conformance.moment import printable

    text = printable(f"{answer.method}: {_said(answer)}")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _said(answer: Answer) -> str:
    reply = answer.reply
    if reply is None:
        return answer.why
    said = json.dumps(reply.get("result"))
    if "result" not in reply:
        error = reply.get("error")
        said = f"error {json.dumps(error)}"
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            said = f"error {error.get('code')} {error['message']}"
    return f"{answer.why}, yet there came: {said}" if answer.why else said
