"""How a handler is made to misbehave: its answer is caught, changed, sent early or kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue import method_of
from bdevcheck.model.catalogue.method import Method
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.rpc.call import Call

if TYPE_CHECKING:
    from bdevcheck.traces.target.target import Handler, Target

LATER_NS = 30 * MS
"""How much later an effect comes than its reply: the next two calls see that it is missing."""

Wrapper = Callable[["Method", "Handler"], "Handler"]


def wrap(target: Target, wanted: Callable[[Method], bool], wrapper: Wrapper) -> None:
    """Put `wrapper` around the handlers of all catalogued methods that are `wanted`."""
    target.handlers = {
        name: wrapper(row, handler) if (row := method_of(name)) and wanted(row) else handler
        for name, handler in target.handlers.items()
    }


def caught(
    call: Call,
    on_result: Callable[[object], None] | None = None,
    on_error: Callable[[int, str], None] | None = None,
) -> Call:
    """Return a call like this one whose answer goes elsewhere, by default to this one."""
    return Call(
        call.method, call.given, on_result or call.reply, on_error or call.refuse, call.params
    )


def ignored(call: Call) -> Call:
    """Return a call like this one whose answer nobody gets."""
    return caught(call, lambda _: None, lambda _code, _text: None)


def run(target: Target, handler: Handler, call: Call) -> None:
    """Call a handler; a refusal answers the call."""
    try:
        handler(target, call)
    except Refused as refused:
        call.refuse(refused.code, refused.message)


def run_later(target: Target, handler: Handler, call: Call) -> None:
    """Do what a call asks for after its reply; how that ends nobody learns."""
    quiet = ignored(call)
    target.reactor.after(LATER_NS, lambda: run(target, handler, quiet))


def named(row: Method, call: Call) -> Iterator[str]:
    """Yield the names of the bdevs that a call is about, where its parameters say them."""
    for template in row.bdevs:
        value = call.params.get(template.strip("{}"))
        if isinstance(value, str):
            yield value
