"""Origins: which bdevs the calls of this trace may register, now or later.

A create may do so from its request to its reply, whatever the reply is. One that left a record may
do so again whenever the base comes, until a delete ends the record (LIFECYCLE 4.4). What became of
one that was never answered, or whose reply may be another's, is not known.
"""

from __future__ import annotations

from collections import Counter

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.event import Answered, Asked, Event, Unanswered
from bdevcheck.model.catalogue import Method, bdev_names

_UNBIDDEN = "other"
_CREATES = ("create", _UNBIDDEN)


class Origins:
    """What has been asked for, and may still come.

    `open` counts the creates under way for each name, `nameless` are those that do not tell it;
    `promised` has the names that may come without a further call. `unbound`: any name may.
    """

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        self.nameless: set[int] = set()
        self.promised: set[str] = set()
        self.unbound = False

    def forget(self) -> None:
        """Forget all: the target may be another one."""
        self.open.clear()
        self.nameless.clear()
        self.promised.clear()
        self.unbound = False

    def may_make(self, name: str) -> bool:
        """Tell whether some call of the trace may be what a bdev of this name comes from."""
        return self.unbound or bool(self.nameless) or name in self.open or name in self.promised

    def follow(self, event: Event) -> None:
        """Follow one call, if it is a create or a delete."""
        if not isinstance(event, Asked | Answered | Unanswered) or event.call.method is None:
            return
        call, method = event.call, event.call.method
        if method.kind == _UNBIDDEN:
            self.unbound = True
        elif method.kind == "delete":
            if isinstance(event, Answered) and call.succeeded and not call.ambiguous:
                self.promised.difference_update(asked_names(call))
        elif method.kind == "create" and isinstance(event, Asked):
            self._asked(call)
        elif method.kind == "create":
            self._over(call)
            if isinstance(event, Unanswered) or call.ambiguous:
                self._unknown(call)
            elif call.succeeded:
                self._made(call, method)

    def _asked(self, call: Call) -> None:
        names = asked_names(call)
        self.open.update(names)
        if not names:
            self.nameless.add(call.number)

    def _over(self, call: Call) -> None:
        self.nameless.discard(call.number)
        for name in asked_names(call):
            self.open[name] -= 1
            if self.open[name] <= 0:
                del self.open[name]

    def _unknown(self, call: Call) -> None:
        names = asked_names(call)
        self.promised.update(names)
        self.unbound = self.unbound or not names

    def _made(self, call: Call, method: Method) -> None:
        if method.defers:
            self.promised.update(asked_names(call))
        elif method.volatile and not method.bdevs:
            self.unbound = True  # its device may get more of them at any time


def is_of_origin(method: Method) -> bool:
    """Tell whether calls of this method say where bdevs come from."""
    return method.kind in _CREATES or method.kind == "delete"


def asked_names(call: Call) -> tuple[str, ...]:
    """Return the names that a call is about, as far as its parameters tell them.

    A bdev that gets a default name, or one from its controller or its store, has none.
    """
    return bdev_names(call.method, call.request.params, None) if call.method is not None else ()
