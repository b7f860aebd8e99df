"""Carry out a configuration before clients are served (LIFECYCLE 6.1).

Source: lib/init/json_config.c of SPDK v26.05. Calls are made one after the other, each when the one
before is answered; an array of calls is made at once. What may be called before the framework is
initialised is, then the framework is initialised, then the rest is called. The first error ends it.
These calls are not in the log of requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bdevcheck.model.catalogue.method import WRONG_STATE
from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.rpc.call import Call

START_INIT = "framework_start_init"

Dispatch = Callable[[Call], None]
Step = tuple[tuple[str, object], ...]
"""Calls that are made at once: method and parameters of each."""
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
class Loading:
    """A configuration being carried out. `done` is told once, perhaps with an error."""

    reactor: Reactor
    dispatch: Dispatch
    done: Callable[[ConfigError | None], None]

    def begin(self, steps: Iterable[Step]) -> None:
        """Make all calls, those first that may come before the framework's initialisation."""
        later: list[Step] = []
        initialise: Step = ((START_INIT, None),)

        def all_called() -> None:
            self.done(None)

        def started() -> None:
            self._each(iter([initialise, *later]), None, all_called)

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

        self._make(step, answered)

    def _make(self, step: Step, then: Callable[[list[Failed]], None]) -> None:
        """Make the calls of a step at once, and tell their errors when all are answered."""
        errors: list[Failed] = []
        left = max(len(step), 1)

        def answered(*error: Failed) -> None:
            nonlocal left
            errors.extend(error)
            left -= 1
            if left == 0:
                self.reactor.soon(lambda: then(errors))

        for method, params in step:
            call = Call(
                method, params, lambda _: answered(), lambda code, text: answered((code, text))
            )
            self.dispatch(call)
        if not step:
            answered()


def _failure(step: Step, failed: Failed) -> ConfigError:
    methods = ", ".join(method for method, _ in step)
    return ConfigError(f"{methods}: error {failed[0]}: {failed[1]}")


def _is_early(failed: Failed) -> bool:
    code, text = failed
    return code == WRONG_STATE.code and text.startswith(WRONG_STATE.message.rstrip("*"))
