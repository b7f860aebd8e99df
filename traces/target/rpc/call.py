"""A method call, as handlers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bdevcheck.traces.target.refusal import Refused


class AnsweredTwiceError(RuntimeError):
    """A handler answered a call again: a fault of the emulation, never of its client."""


@dataclass(frozen=True, slots=True)
class Doubled:
    """A JSON object that has a name twice. It is no `dict`: every strict decoder refuses it."""

    members: tuple[tuple[str, object], ...]


@dataclass(slots=True)
class Call:
    """One call: answered once, at once or later.

    `method` is the name as it was sent, until the dispatcher puts the catalogued one there. `given`
    are the parameters as they were sent: None, a dict, a list or a `Doubled` (at any depth).
    `params` are the decoded ones, which the dispatcher fills in.
    """

    method: str
    given: object
    on_result: Callable[[object], None]
    on_error: Callable[[int, str], None]
    params: dict[str, object] = field(default_factory=dict)
    is_answered: bool = False

    def reply(self, result: object) -> None:
        """Answer with a result: any JSON value."""
        self._answer()
        self.on_result(result)

    def refuse(self, code: int, message: str = "") -> None:
        """Answer with an error; without a message, with the text of the error number."""
        refusal = Refused(code, message)
        self._answer()
        self.on_error(refusal.code, refusal.message)

    def _answer(self) -> None:
        if self.is_answered:
            raise AnsweredTwiceError(self.method)
        self.is_answered = True
