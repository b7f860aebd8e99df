"""`bdevcheck check --follow`: judge a recording while it is written."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType

import click
from rich.console import Console
from rich.text import Text

from bdevcheck.command.support import print_lines
from bdevcheck.conformance.books import News, Tell
from bdevcheck.conformance.check import Run, start_run
from bdevcheck.conformance.checkpoint import Checkpoint, load, save
from bdevcheck.conformance.document import document_of
from bdevcheck.conformance.preserve import PreserveError
from bdevcheck.conformance.verdict import Report, Verdict, Violation
from bdevcheck.traces.detect import HEAD_LINES, Form, form_of
from bdevcheck.traces.pause import rare_collector
from bdevcheck.traces.record import InputError
from bdevcheck.traces.source import source_name
from bdevcheck.traces.tail import Line, follow

_STATUS_S = 0.2
_ALLOWED = "a recording of the wire (JSON lines with seq and kind)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to follow: by which rules, and where and how often (s) to keep a checkpoint, if at all.

    `is_wire`: the user says that it is a recording of the wire, so that nobody need look.
    """

    path: str
    rules: tuple[str, ...]
    checkpoint: str | None
    every_s: int
    is_wire: bool = False
    as_json: bool = False


def judge_live(asked: Asked) -> Report:
    """Judge a recording while it is written, and tell of each violation when it is certain.

    Ends with the recorder's closing note, with SIGINT or SIGTERM, at the end of a pipe, and where
    records are lost. The report is what `check` says of the lines taken. Raises InputError for what
    is no recording of the wire, for a checkpoint that is not of it, and for one that cannot be
    written when the run begins.
    """
    with _stopping() as stop, _status() as status, rare_collector():
        desk = _begin(asked, _teller(status, as_json=asked.as_json))
        books = desk.run.checker.ledger.books
        status.told = len(books.violations) + len(books.accused)
        for item in follow(asked.path, offset=desk.offset, line=desk.line, until=stop.is_set):
            if desk.run.reading.lost is not None:
                break
            if isinstance(item, Line):
                _take(desk, item)
            else:
                desk.waiting = item.waiting
                if desk.run.reading.complete_to_end:
                    break
            _keep_now_and_then(desk)
            status.say(f"following: {desk.line:,} lines, {status.told:,} violations so far")
            if stop.is_set():
                break
        return _finish(desk)


# -- the run ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Desk:
    """A run, its place in the recording, and when it was kept.

    `waiting` counts the bytes that have come of a line that is not whole; `head` are the lines that
    came before one that says what this is.
    """

    asked: Asked
    run: Run
    offset: int = 0
    line: int = 0
    waiting: int = 0
    is_wire: bool = False
    head: list[Line] = field(default_factory=list)
    kept_at: float = field(default_factory=time.monotonic)
    kept_line: int = -1


def _begin(asked: Asked, tell: Tell) -> _Desk:
    name = source_name(asked.path)
    run = start_run(name, rules=asked.rules, tell=tell)
    if asked.checkpoint is None:
        return _Desk(asked, run, is_wire=asked.is_wire)
    if not os.path.lexists(asked.checkpoint):
        desk = _Desk(asked, run, is_wire=asked.is_wire)
        _try_to_keep(desk, asked.checkpoint)
        return desk
    known = load(asked.checkpoint, asked.path, name=name, tell=tell)
    rules = known.run.checker.ledger.books.rules
    if rules != run.checker.ledger.books.rules:
        found = f"a checkpoint of a run by other rules: {', '.join(rules)}"
        raise InputError(asked.checkpoint, 0, found, "the same --rule options as before")
    is_wire = asked.is_wire or known.line > 0
    return _Desk(asked, known.run, known.offset, known.line, is_wire=is_wire, kept_line=known.line)


def _take(desk: _Desk, item: Line) -> None:
    """Judge a line, once it is known that this is a recording of the wire."""
    desk.head.append(item)
    desk.waiting = 0
    if not desk.is_wire and isinstance(item.data, bytes):
        desk.is_wire = _is_wire(item.data, desk.run.reading.name, item.number)
    if desk.is_wire:
        for each in desk.head:
            if desk.run.reading.lost is None:
                desk.run.take(each.number, each.data)
                desk.offset, desk.line = each.end, each.number
        desk.head.clear()


def _is_wire(data: bytes, name: str, number: int) -> bool:
    """Tell whether a line says that this is a recording of the wire; False: it does not tell."""
    form = form_of(data)
    if form is not None and form is not Form.WIRE:
        raise InputError(name, number, f"a {form}, which cannot be followed", _ALLOWED)
    if form is None and number >= HEAD_LINES:
        raise InputError(name, 0, f"nothing recognisable in {number:,} lines", _ALLOWED)
    return form is Form.WIRE


def _finish(desk: _Desk) -> Report:
    if desk.asked.checkpoint is not None:
        _keep(desk, desk.asked.checkpoint)
    if not desk.is_wire:
        found = f"nothing recognisable in {len(desk.head):,} lines" if desk.head else "is empty"
        raise InputError(desk.run.reading.name, 0, found, _ALLOWED)
    behind = _behind(desk)
    report = desk.run.finish()
    if not behind or desk.run.reading.lost is not None:
        return report
    note = f"{behind:,} bytes behind line {desk.line:,} are not judged: the run was ended before"
    return replace(report, notes=(*report.notes, note))


def _behind(desk: _Desk) -> int:
    """Return how many bytes are there that were not taken: lines, or a part of one."""
    try:
        there = os.stat(desk.asked.path)
    except (OSError, ValueError):
        return desk.waiting
    return there.st_size - desk.offset if stat.S_ISREG(there.st_mode) else desk.waiting


# -- checkpoints -----------------------------------------------------------------------------------


def _keep_now_and_then(desk: _Desk) -> None:
    path = desk.asked.checkpoint
    if path is not None and time.monotonic() - desk.kept_at >= desk.asked.every_s:
        _keep(desk, path)


def _keep(desk: _Desk, path: str) -> None:
    """Keep the run; what stands in the way is told, and the run goes on."""
    try:
        _save(desk, path)
    except (OSError, PreserveError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        click.echo(f"bdevcheck: no checkpoint at line {desk.line:,}: {reason}", err=True)


def _try_to_keep(desk: _Desk, path: str) -> None:
    """Keep the run before it begins: what cannot be written is told before the work."""
    try:
        _save(desk, path)
    except OSError as error:
        found = f"cannot be written: {error.strerror}"
        raise InputError(path, 0, found, "a place for the checkpoint") from None


def _save(desk: _Desk, path: str) -> None:
    """Save the run, unless nothing has come, or what has come is not to be relied on.

    Where records are lost the older checkpoint stays: it is as good, and the loss is found again.
    """
    if desk.run.reading.lost is None and desk.line != desk.kept_line:
        save(path, Checkpoint(desk.run, desk.offset, desk.line), desk.asked.path)
        desk.kept_line = desk.line
    desk.kept_at = time.monotonic()


# -- what is told ----------------------------------------------------------------------------------


def _teller(status: _Status, *, as_json: bool) -> Tell:
    def tell(news: News) -> None:
        status.told += -1 if news.withdrawn else 1
        status.aside()
        if as_json:
            click.echo(json.dumps(_document(news)))
        else:
            print_lines([_text(news)])

    return tell


def _document(news: News) -> dict[str, object]:
    found = news.violation
    report = Report(Verdict.VIOLATES, (), (found,), (), (), {}, ())
    violations = document_of(report)["violations"]
    assert isinstance(violations, list)
    return {"so_far": "withdrawn" if news.withdrawn else "violated", "violation": violations[0]}


def _text(news: News) -> Text:
    word = "WITHDRAWN" if news.withdrawn else "VIOLATES so far"
    found = news.violation
    line = Text(word, style="bold yellow" if news.withdrawn else "bold red")
    line.append(f"  {found.rule}: {found.headline}", style="not bold default")
    return line.append(f"  [{_place(found)}]", style="not bold dim default")


def _place(found: Violation) -> str:
    place = next((each for each in reversed(found.moments) if each.key), found.moments[-1]).place
    return f"{os.path.basename(place.source)}:{place.line}"


@dataclass(slots=True)
class _Status:
    """A line that changes, where a person watches; `told` counts violations, as far as told."""

    console: Console | None
    told: int = 0
    _said_at: float = 0.0
    _is_shown: bool = False

    def say(self, text: str) -> None:
        """Show a text, unless one was shown just now."""
        now = time.monotonic()
        if self.console is None or now - self._said_at < _STATUS_S:
            return
        self._said_at, self._is_shown = now, True
        self._write(f"\r\x1b[2K{text[: self.console.width - 1]}")

    def aside(self) -> None:
        """Make room, since something will be printed."""
        if self._is_shown:
            self._is_shown = False
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


@contextmanager
def _status() -> Iterator[_Status]:
    console = Console(stderr=True)
    watched = console.is_terminal and not console.is_dumb_terminal
    status = _Status(console if watched else None)
    try:
        yield status
    finally:
        status.aside()


# -- the end ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Stop:
    asked: bool = False

    def is_set(self) -> bool:
        """Tell whether the user, or the system, has asked for the end."""
        return self.asked


@contextmanager
def _stopping() -> Iterator[_Stop]:
    """Let the first SIGINT or SIGTERM end the work in good order; the next one does what it did.

    One that is ignored stays so: a shell lets its background jobs ignore Ctrl-C.
    """
    stop = _Stop()
    known = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    before = {each: handler for each, handler in known.items() if handler != signal.SIG_IGN}

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.asked = True
        restore()

    def restore() -> None:
        for each, handler in before.items():
            signal.signal(each, handler)

    for each in before:
        signal.signal(each, ask)
    try:
        yield stop
    finally:
        restore()
