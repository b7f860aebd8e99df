"""Send a script to a target over sockets, and tell what it answers.

One thread, sockets that do not block, and a selector: who sends much reads meanwhile, so neither
side waits for the other. Nothing waits for ever: each reply has `timeout_s`.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bdevcheck.traces.driver.action import (
    Action,
    Ask,
    Await,
    Close,
    HalfClose,
    Open,
    Send,
    Sleep,
)
from bdevcheck.traces.driver.agreement import Uuids
from bdevcheck.traces.driver.channel import Channel, GarbledError, LinkError, connect
from bdevcheck.traces.driver.matching import key_of

__all__ = ["Answer", "Driver", "LinkError", "Pace", "connect"]

Pace = Literal["original", "full", "pipelined"]
"""The times of the recording; as fast as answers come; all at once."""
NOT_ASKED = "(nothing asked)"
_CLOSED = "its connection was closed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request: `reply` is the reply object, None where none came; then `why`.

    `recorded` is what the recording has in its place. Without `is_awaited` none was due: a
    notification, or what the recorded target left unanswered.
    """

    method: str
    conn: int
    reply: Mapping[str, object] | None
    why: str = ""
    recorded: Mapping[str, object] | None = None
    is_awaited: bool = True

    @property
    def is_refused(self) -> bool:
        """Tell whether it was not answered with a result."""
        return self.reply is None or "result" not in self.reply

    @property
    def is_expected(self) -> bool:
        """Tell whether it is a result, or where a recording tells, a result or error as recorded.

        Values and texts are for `agreement`. Where none was due, any will do; what nobody asked for
        is not expected.
        """
        if not self.is_awaited:
            return True
        if self.recorded is None:
            return not self.is_refused and not self.why
        return self.reply is not None and _outcome(self.reply) == _outcome(self.recorded)


def _outcome(reply: Mapping[str, object]) -> object:
    error = reply.get("error")
    return error.get("code") if isinstance(error, dict) else "result" in reply


@dataclass(slots=True)
class Driver:
    """One run of a script against the target at `address`.

    `uuids`: of a recording, which uuids of this target stand for those of the recorded one.
    """

    address: str
    timeout_s: float = 60.0
    lines: dict[int, Channel] = field(default_factory=dict)
    uuids: Uuids = field(default_factory=Uuids)
    _ready: list[Answer] = field(default_factory=list)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self, actions: Sequence[Action], pace: Pace = "full") -> Iterator[Answer]:
        """Yield each answer when it comes; raises `LinkError` where nobody can be reached."""
        timed = (each.at_ns for each in actions if not isinstance(each, Await | Sleep))
        first = next((at for at in timed if at is not None), 0)
        begun = time.monotonic()
        try:
            for action in actions:
                if pace == "original" and not isinstance(action, Await | Sleep):
                    at = action.at_ns
                    yield from self._rest(begun + ((at or first) - first) / 1e9)
                if _is_done(action, pace):
                    yield from self._obey(action)
                yield from self._told()
            yield from self._await(Await(0))
            for channel in self.lines.values():
                self._lost(channel, channel.open.drop(lambda _: True), "no reply, and none was due")
            yield from self._told()
        finally:
            for channel in self.lines.values():
                channel.link.close()
            self._selector.close()

    def _told(self) -> Iterator[Answer]:
        answers, self._ready = self._ready, []
        yield from answers

    def _obey(self, action: Action) -> Iterator[Answer]:
        match action:
            case Send():
                self._send(action)
            case Await():
                yield from self._await(action)
            case Sleep():
                yield from self._rest(time.monotonic() + action.ns / 1e9)
            case Open():
                self._channel(action.conn)
            case HalfClose() if action.conn in self.lines:
                self._half_close(self.lines[action.conn])
            case Close() if action.conn in self.lines:
                yield from self._close(self.lines[action.conn])

    # -- doing -------------------------------------------------------------------------------------

    def _channel(self, conn: int) -> Channel:
        channel = self.lines.get(conn)
        if channel is None:
            link = connect(self.address, self.timeout_s)
            channel = self.lines[conn] = Channel(conn, link)
            self._selector.register(link, selectors.EVENT_READ, channel)
        return channel

    def _send(self, action: Send) -> None:
        channel = self._channel(action.conn)
        channel.alone |= action.alone
        if channel.is_over:
            self._lost(channel, action.asks, channel.why)
            return
        channel.ask(self.uuids.as_here(action.data), action.asks)
        self._flush(channel)

    def _half_close(self, channel: Channel) -> None:
        if channel.is_over:
            return
        channel.is_half_closed = True
        self._flush(channel)

    def _close(self, channel: Channel) -> Iterator[Answer]:
        """Close when all is sent."""
        end = time.monotonic() + self.timeout_s
        while channel.out and not channel.is_over and time.monotonic() < end:
            yield from self._hear(end)
        self._end(channel, _CLOSED)

    # -- hearing -----------------------------------------------------------------------------------

    def _await(self, action: Await) -> Iterator[Answer]:
        end = time.monotonic() + self.timeout_s
        while waiting := [each for each in self._of(action.conn) if _is_waiting(each, action)]:
            if time.monotonic() >= end:
                for channel in waiting:
                    self._give_up(channel, action)
                break
            yield from self._hear(end)
        yield from self._told()

    def _of(self, conn: int) -> list[Channel]:
        return [each for each in self.lines.values() if conn in (0, each.conn)]

    def _give_up(self, channel: Channel, action: Await) -> None:
        def is_meant(ask: Ask) -> bool:
            return ask.key == action.key if action.key else ask.is_awaited

        self._lost(channel, channel.open.drop(is_meant), f"no reply within {self.timeout_s:g} s")

    def _rest(self, until: float) -> Iterator[Answer]:
        while time.monotonic() < until:
            yield from self._hear(until)

    def _hear(self, until: float) -> Iterator[Answer]:
        """Wait once for what comes, and yield it."""
        seconds = max(until - time.monotonic(), 0)
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, events in self._selector.select(seconds):
            channel: Channel = key.data
            if events & selectors.EVENT_WRITE:
                self._flush(channel)
            if events & selectors.EVENT_READ and not channel.is_over:
                self._read(channel)
        yield from self._told()

    def _flush(self, channel: Channel) -> None:
        """Send what there is room for; wait for room where something is left."""
        try:
            channel.flush()
        except OSError:
            # What the target said before it closed is still to be read; then it is over.
            channel.out.clear()
        writes = selectors.EVENT_WRITE if channel.out else 0
        self._selector.modify(channel.link, selectors.EVENT_READ | writes, channel)

    def _read(self, channel: Channel) -> None:
        goes_on = channel.read()
        try:
            for message in channel.messages():
                self._take(channel, message)
        except GarbledError:
            self._end(channel, "what came back is no JSON")
            return
        if not goes_on:
            self._end(channel, "the target closed the connection")
        elif channel.alone and not channel.open:
            self._end(channel, _CLOSED)

    def _take(self, channel: Channel, message: object) -> None:
        for each in message if isinstance(message, list) else [message]:
            if not isinstance(each, dict):
                why = f"what came back is no reply: {str(each)[:60]}"
                self._ready.append(Answer(NOT_ASKED, channel.conn, None, why))
                continue
            ask = channel.answered(key_of(each))
            if ask is None:
                self._ready.append(Answer(NOT_ASKED, channel.conn, each, "nothing was asked"))
                continue
            self.uuids.tell(ask.recorded)
            self.uuids.learn(ask.recorded, each)
            self._ready.append(_answer(channel, ask, each))

    def _lost(self, channel: Channel, asks: Sequence[Ask], why: str) -> None:
        for ask in asks:
            channel.settle(ask)
            self.uuids.tell(ask.recorded)
            self._ready.append(_answer(channel, ask, None, why))

    def _end(self, channel: Channel, why: str) -> None:
        if channel.is_over:
            return
        channel.is_over, channel.why = True, why
        self._lost(channel, channel.open.drop(lambda _: True), why)
        self._selector.unregister(channel.link)
        channel.link.close()


def _answer(
    channel: Channel, ask: Ask, reply: Mapping[str, object] | None, why: str = ""
) -> Answer:
    return Answer(ask.method, channel.conn, reply, why, ask.recorded, ask.is_awaited)


def _is_done(action: Action, pace: Pace) -> bool:
    """Tell whether an action belongs to a pace."""
    match action:
        case Open() | Send():
            return True
        case Await():
            return pace == "full" or (pace == "original" and not action.unless_timed)
        case _:
            return pace != "pipelined"


def _is_waiting(channel: Channel, action: Await) -> bool:
    return channel.is_waiting(action.key, action.times)
