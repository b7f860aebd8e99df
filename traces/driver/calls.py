"""Read the calls of rpc.py in a script, line by line as bash would read them.

Nothing is expanded, and nothing but calls is carried out: what only a shell would understand is
refused, for who reads on would send what nobody meant.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import count

from bdevcheck.traces.argv import RAW, arguments_by_method, params_of
from bdevcheck.traces.driver.action import Action, Await, Sleep
from bdevcheck.traces.driver.line import Lines, seconds_of, send_of, value_of
from bdevcheck.traces.record import InputError
from bdevcheck.traces.xtrace import VALUED  # options of rpc.py itself that have a value

AS_JSON = "# not a call of rpc.py: "
"""What stands before a request that rpc.py cannot send, in a script of calls."""
_PROGRAMS = ("rpc.py", "spdk-rpc", "rpc_cmd")
_METHOD = re.compile(r"[A-Za-z_]\w*$")
_SHELL = re.compile(r"[();<>|&]+$")


def read_calls(path: str, lines: Lines) -> Iterator[Action]:
    """Yield what the lines do; raises `InputError` with the place of what is no call."""
    conns = count(1)
    for number, text in _joined(lines):
        if text.startswith(AS_JSON):
            yield from _said_in_json(path, number, text.removeprefix(AS_JSON), next(conns))
            continue
        words = _words(path, number, text)
        if not words:
            continue
        if words == ["wait"]:
            yield Await(0)
        elif words[0] == "sleep" and len(words) == 2:
            yield Sleep(seconds_of(path, number, words[1]))
        else:
            yield from _call(path, number, words, next(conns))


def _joined(lines: Lines) -> Iterator[tuple[int, str]]:
    """Yield logical lines, each with the number of its first."""
    start, kept = 0, ""
    for number, text in lines:
        start = start if kept else number
        kept += text
        if _has_open_quote(kept):
            kept += "\n"
        elif kept.endswith("\\") and not _ends_in_comment(kept):
            kept = kept.removesuffix("\\") or " "
        else:
            yield start, kept
            kept = ""
    if kept:
        yield start, kept


def _has_open_quote(text: str) -> bool:
    try:
        shlex.split(text.removesuffix("\\"), comments=True)
    except ValueError:
        return True
    return False


def _ends_in_comment(text: str) -> bool:
    """Tell whether a line has a comment: then a backslash at its end means nothing."""
    try:
        bare = text.removesuffix("\\")
        return shlex.split(bare, comments=True) != shlex.split(bare)
    except ValueError:  # quotes in the comment
        return True


def _words(path: str, number: int, text: str) -> list[str]:
    """Return the words of a line; raises InputError for what only a shell understands."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError as error:
        raise InputError(path, number, str(error), "words of a shell") from None
    if any(_SHELL.match(each) for each in words[:-1]) or (words and words[-1] in _OTHER_ENDS):
        raise InputError(path, number, f"a shell's syntax: {text.strip()[:80]!r}", _PLAIN)
    if words and any(sign in text.partition("#")[0] for sign in "$`"):
        raise InputError(path, number, f"nothing is expanded: {text.strip()[:80]!r}", _PLAIN)
    return words


_OTHER_ENDS = frozenset({";", "|", "<", ">", "(", ")", "&&", "||", ";;", ">>", "<<"})
_PLAIN = "a call of rpc.py with its arguments as they are, `&` behind it, `wait`, or `sleep S`"


def _said_in_json(path: str, number: int, text: str, conn: int) -> Iterator[Action]:
    text, goes_on = text.rstrip(), text.rstrip().endswith("&")
    send = send_of(path, number, conn, value_of(path, number, text.removesuffix("&")))
    yield send
    if not goes_on:
        yield from (Await(conn, ask.key) for ask in send.asks if ask.is_awaited)


def _call(path: str, number: int, words: list[str], conn: int) -> Iterator[Action]:
    goes_on = words[-1] == "&"
    method, *arguments = _without_program(path, number, words[:-1] if goes_on else words)
    params = params_of(method, arguments)
    if RAW in params:
        allowed = "a call that rpc.py takes; others can be said in JSON"
        raise InputError(path, number, f"no call: {shlex.join([method, *arguments])}", allowed)
    request: dict[str, object] = {"jsonrpc": "2.0", "method": method, "id": 1}
    send = send_of(path, number, conn, request | ({"params": params} if params else {}), alone=True)
    yield send
    if not goes_on:
        yield Await(conn, send.asks[0].key)


def _without_program(path: str, number: int, words: list[str]) -> list[str]:
    """Return method and arguments; a line that is no call of rpc.py is what rpc.py reads itself."""
    if words[:1] and words[0].rpartition("/")[2].startswith("python"):
        words = words[1:]
    is_program = bool(words) and words[0].rpartition("/")[2] in _PROGRAMS
    words = words[1:] if is_program else words
    while is_program and words and words[0].startswith("-"):
        words = words[1 + (words[0] in VALUED) :]
    if not words:
        raise InputError(path, number, "no method is named", "a call of rpc.py")
    if not _METHOD.match(words[0]) or not (is_program or words[0] in arguments_by_method()):
        raise InputError(path, number, f"no call: {shlex.join(words)}", _PLAIN)
    return words
