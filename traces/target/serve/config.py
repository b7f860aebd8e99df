"""Carry out a configuration before clients are served (LIFECYCLE 6.1).

Source: lib/init/json_config.c of SPDK v26.05. Calls are made one after the other, each when the one
before is answered; an array of calls is made at once. What may be called before the framework is
initialised is, then the framework is initialised, then the rest is called. The first error ends it.
The log of requests has the calls that come after the initialisation, and no others. The loader
gives each of them the id 0, and numbers those of an array (spdk_jsonrpc_begin_request).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bdevcheck.model.catalogue.method import WRONG_STATE
from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.rpc.rpclog import BATCH_RESPONSE, REQUEST, RESPONSE
from bdevcheck.traces.target.rpc.writing import error_text, result_text, text_of

START_INIT = "framework_start_init"

Dispatch = Callable[[Call], None]
Step = tuple[tuple[str, object], ...]
"""Calls that are made at once: method and parameters of each."""
Speak = Callable[[str, bytes], None]
"""Writes a message to the log of requests, see `RpcLog.write`."""
INITIALISE: Step = ((START_INIT, None),)
Failed = tuple[int, str]
"""An error: its code and message."""


class ConfigError(Exception):
    """A configuration cannot be read, or a call of it failed; the text says which."""


def read(path: Path) -> list[Step]:
    """Return the calls of a configuration file. Raises `ConfigError`."""
    try:
        document = json.loads(path.read_bytes())
        return [tuple(_calls(entry)) for entry in _entries(document)]
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        allowed = "subsystems: [{subsystem, config: [{method, params}]}]"
        raise ConfigError(f"{path}: no configuration ({error}); allowed: {allowed}") from error


def _entries(document: dict[str, list[dict[str, list[object] | None]]]) -> Iterator[object]:
    for subsystem in document["subsystems"]:
        yield from subsystem["config"] or ()


def _calls(entry: object) -> Iterator[tuple[str, object]]:
    for each in entry if isinstance(entry, list) else [entry]:
        if not isinstance(each, dict) or not isinstance(each["method"], str):
            raise TypeError(f"{str(each)[:80]} is no call")
        yield each["method"], each.get("params")


@dataclass(slots=True)
class Told:
    """One step as the log of requests has it: one call, or an array of several."""

    speak: Speak
    step: Step
    replies: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Write the calls."""
        self.speak(REQUEST, self._joined([_request(n, each) for n, each in enumerate(self.step)]))

    def answer(self) -> None:
        """Write the replies, in the order in which they came."""
        message = self._joined(self.replies)
        if len(self.step) > 1:
            self.speak(BATCH_RESPONSE, message)
        self.speak(RESPONSE, message)

    def _joined(self, texts: list[str]) -> bytes:
        joined = ",".join(texts)
        return (f"[{joined}]" if len(self.step) > 1 else joined).encode()


def _request(number: int, call: tuple[str, object]) -> str:
    method, params = call
    given = {} if params is None else {"params": params}
    return text_of({"jsonrpc": "2.0", "id": number, "method": method, **given})


@dataclass(slots=True)
class Loading:
    """A configuration being carried out. `done` is told once, perhaps with an error."""

    reactor: Reactor
    dispatch: Dispatch
    done: Callable[[ConfigError | None], None]
    speak: Speak = lambda _prefix, _message: None

    def begin(self, steps: Iterable[Step]) -> None:
        """Make all calls, those first that may come before the framework's initialisation."""
        later: list[Step] = []

        def all_called() -> None:
            self.done(None)

        def started() -> None:
            self._each(iter([INITIALISE, *later]), None, all_called)

        self._each(iter(steps), later, started)

    def _each(
        self, steps: Iterator[Step], later: list[Step] | None, then: Callable[[], None]
    ) -> None:
        """Make the calls of each step; what comes too early is kept in `later`, if there is one."""
        step = next(steps, None)
        if step is None:
            then()
            return

        def answered(errors: list[Failed]) -> None:
            if errors and later is not None and all(map(_is_early, errors)):
                later.append(step)
            elif errors:
                self.done(_failure(step, errors[0]))
                return
            self._each(steps, later, then)

        is_told = later is None and step is not INITIALISE and bool(step)
        self._make(step, answered, Told(self.speak, step) if is_told else None)

    def _make(
        self, step: Step, then: Callable[[list[Failed]], None], told: Told | None = None
    ) -> None:
        """Make the calls of a step at once, and tell their errors when all are answered."""
        errors: list[Failed] = []
        left = max(len(step), 1)
        if told is not None:
            told.ask()

        def answered(*error: Failed) -> None:
            nonlocal left
            errors.extend(error)
            left -= 1
            if left == 0:
                if told is not None:
                    told.answer()
                self.reactor.soon(lambda: then(errors))

        def made(number: int, method: str, params: object) -> Call:
            def result(value: object) -> None:
                if told is not None:
                    told.replies.append(result_text(str(number), value))
                answered()

            def error(code: int, text: str) -> None:
                if told is not None:
                    told.replies.append(error_text(str(number), code, text))
                answered((code, text))

            return Call(method, params, result, error)

        for number, (method, params) in enumerate(step):
            self.dispatch(made(number, method, params))
        if not step:
            answered()


def _failure(step: Step, failed: Failed) -> ConfigError:
    methods = ", ".join(method for method, _ in step)
    return ConfigError(f"{methods}: error {failed[0]}: {failed[1]}")


def _is_early(failed: Failed) -> bool:
    code, text = failed
    return code == WRONG_STATE.code and text.startswith(WRONG_STATE.message.rstrip("*"))
