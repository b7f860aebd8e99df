"""Faults of requests: what makes one malformed, as far as a record and the catalogue tell.

Sources: LIFECYCLE 2.3; jsonrpc_parse_request and parse_single_request (lib/jsonrpc/
jsonrpc_server.c:520, 85 of SPDK v26.05) and the handlers' decoders, which the catalogue has. Not
seen here: `jsonrpc` and unknown members, a parameter given twice, and values of a wrong type, for
neither the records nor the catalogue have them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from bdevcheck.conformance.call import Call
from bdevcheck.conformance.moment import cut
from bdevcheck.model.catalogue import Method
from bdevcheck.model.catalogue.difference import parameters_in_version
from bdevcheck.model.catalogue.method import ANYTHING, INVALID_REQUEST, Failure
from bdevcheck.traces.record import NO_ID, Request

MAX_DEPTH = 64
"""How deep objects and arrays may stand in each other (SPDK_JSON_MAX_NESTING_DEPTH in
lib/json/json_parse.c, in all versions)."""

_VALUES = frozenset('"{[-0123456789tfnNI')
"""The characters with which a JSON value can begin (Python's decoder takes NaN and Infinity)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request, and the error that it calls for.

    `newer`: a version that the catalogue was not read from may take the request; without it, a
    version would have to take less than all that were read.
    """

    what: str
    error: Failure
    newer: bool = False


def fault_of(call: Call, version: str = "") -> Fault | None:
    """Return the first fault of a request, in the order in which SPDK finds them, or None.

    `version` is one of `model.variant.VERSIONS`, or empty: then a parameter of any of them will do.
    """
    request = call.request
    if not is_id(request.id):
        return Fault("its id is neither a string nor a number", INVALID_REQUEST)
    if request.params is not None and not isinstance(request.params, dict | list):
        return Fault("its params are neither an object nor an array", INVALID_REQUEST)
    return fault_of_params(call.method, request.params, version) if call.method else None


def is_id(value: object) -> bool:
    """Tell whether a request may have this id, or lack of one; else its refusal has none."""
    if value is None or value is NO_ID:
        return True
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def fault_of_params(method: Method, params: object, version: str) -> Fault | None:
    """Return the first fault of parameters (None: none given), as `fault_of` does."""
    lax = ANYTHING in method.forgives
    if not method.required and not method.optional:
        return None if lax or params is None else _wrong(method, "it takes no parameters", True)
    if isinstance(params, list):
        return None if lax else _wrong(method, "its parameters are no object")
    given = params if isinstance(params, dict) else {}
    for name in method.required:
        if name not in given and name not in method.forgives:
            return _wrong(method, f"the required parameter {name} is missing")
    unknown = None if lax else _unknown(method, given, version)
    if unknown is not None:
        return _wrong(method, f'it has no parameter "{cut(unknown)}"', True)
    return None


def _wrong(method: Method, what: str, newer: bool = False) -> Fault:
    return Fault(what, Failure(method.decode[0], "", method.decode[1]), newer)


def _unknown(method: Method, given: Iterable[str], version: str) -> str | None:
    """Return the first parameter that the method does not have."""
    if version and method.changes:
        known = parameters_in_version(method, version)
        return next((name for name in given if name not in known), None)
    required, optional = method.required, method.optional
    return next((n for n in given if n not in required and n not in optional), None)


def is_too_deep(request: Request) -> bool:
    """Tell whether no version of SPDK reads a request, for its values stand too deep in it.

    It ends the connection then, as for what is no JSON (json_parse.c, LIFECYCLE 2.3).
    """
    level = _containers([request.params])  # the second, after the request; or the third
    for _ in range(MAX_DEPTH - 1 - (request.batch is not None)):
        level = [inner for each in level for inner in _containers(each)]
    return bool(level)


Container: TypeAlias = dict[str, object] | list[object]


def _containers(container: Container) -> list[Container]:
    """Return the objects and arrays that stand in another."""
    members = container.values() if isinstance(container, dict) else container
    return [each for each in members if isinstance(each, dict | list)]


def is_no_json(text: str) -> bool:
    """Tell whether no JSON begins with this text: some character cannot stand where it stands.

    False where that is not certain: for text that was cut off, for one, and for bytes that were
    spoilt on their way into the recording.

    >>> is_no_json('{"a": 1,, '), is_no_json('{"a": tru'), is_no_json("hello")
    (True, False, True)
    """
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        in_string = error.msg.startswith(("Invalid", "Unterminated"))
        return not in_string and error.pos < len(text) and text[error.pos] not in _VALUES
    except (ValueError, RecursionError):
        return False
    return False
