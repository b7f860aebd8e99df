"""Sound requests: those that surely have no fault, told without reading their values.

Nearly all requests are sound, and `fault` reads each of them in full. For these, one pass over the
text of the parameters finds all that are required, and no other than those that are known.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import msgspec

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.watch.fault import fault_of_params
from bdevcheck.conformance.watch.release import tells_version
from bdevcheck.model.catalogue import Method
from bdevcheck.model.catalogue.difference import parameters_in_version
from bdevcheck.model.catalogue.method import ANYTHING
from bdevcheck.traces.record import NO_ID

Reading: TypeAlias = Callable[[msgspec.Raw], object]
"""Reads the parameters, or raises a MsgspecError."""

_ABSENT = msgspec.Raw()
_BRACES = b"{["
_USUAL_IDS = frozenset({int, str, float, type(None), type(NO_ID)})


class Sound:
    """What is known of each method's parameters in a version (empty: in any of them)."""

    def __init__(self, version: str = "") -> None:
        self.version = version
        self.known: dict[str, tuple[bool, Reading]] = {}

    def surely(self, call: Call) -> bool:
        """Tell whether the request of a call has no fault for sure, and tells no version.

        False says nothing: `fault.fault_of` does.
        """
        request, method = call.request, call.method
        if type(request.id) not in _USUAL_IDS:
            return False
        body = request.body
        if method is None:
            return body is None or (type(body) is msgspec.Raw and memoryview(body)[0] in _BRACES)
        known = self.known.get(method.name)
        if known is None:
            known = self.known[method.name] = self._way_of(method)
        bare, read = known
        if type(body) is not msgspec.Raw:
            return bare and body is None
        try:
            read(body)
        except (msgspec.MsgspecError, RecursionError):
            return False
        return True

    def _way_of(self, method: Method) -> tuple[bool, Reading]:
        """Return whether a method can do without parameters, and what reads them."""
        if tells_version(method):
            return False, _refuse
        bare = fault_of_params(method, None, self.version) is None
        return bare, _reading(method, self.version)


def _refuse(_: msgspec.Raw) -> object:
    raise msgspec.ValidationError


def _reading(method: Method, version: str) -> Reading:
    """Return what reads parameters without a fault, and refuses all others."""
    if not method.required and not method.optional:
        return _refuse
    lax = ANYTHING in method.forgives
    required = tuple(name for name in method.required if name not in method.forgives)
    names = method.required + method.optional
    if version and method.changes:
        names = parameters_in_version(method, version)
        if not lax and not set(required) <= set(names):
            return _refuse
    optional = tuple(name for name in names if name not in required)
    return _decoder_of(required, optional, lax)


@cache
def _decoder_of(required: tuple[str, ...], optional: tuple[str, ...], lax: bool) -> Reading:
    """Return a decoder; the fields have numbers, for a parameter may have any name."""
    names = dict.fromkeys((*required, *optional))
    given = {name: f"p{number}" for number, name in enumerate(names)}
    fields = [(given[name], msgspec.Raw, _ABSENT) for name in optional]
    form = msgspec.defstruct(
        "Parameters",
        [*((given[name], msgspec.Raw) for name in required), *fields],
        rename={field: name for name, field in given.items()},
        forbid_unknown_fields=not lax,
        gc=False,
    )
    return msgspec.json.Decoder(form).decode
