"""From a request to its handler: is it known, allowed now, well called (LIFECYCLE 2.3, 2.8).

A method that the version has, but that is not emulated, is answered with -95: it would be untrue to
say that there is no such method.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bdevcheck.model.catalogue import method_of
from bdevcheck.model.catalogue.difference import is_in, parameters_in_version
from bdevcheck.model.catalogue.method import NO_METHOD, WRONG_STATE, Method
from bdevcheck.model.variant import Variant
from bdevcheck.traces.target.faults.plan import ACCEPTS_MALFORMED, IGNORES_STATE
from bdevcheck.traces.target.offers import offer_of
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.rpc.decode import decode
from bdevcheck.traces.target.target import Target

ENOTSUP = -95
TOO_EARLY = (
    "Method may only be called after framework is initialized using framework_start_init RPC."
)
TOO_LATE = (
    "Method may only be called before framework is initialized. Use --wait-for-rpc command line "
    "parameter and then issue this RPC before the framework_start_init RPC."
)


@dataclass(slots=True)
class Warned:
    """The deprecated names that were called: each is told of once."""

    names: set[str] = field(default_factory=set)


def dispatch(target: Target, call: Call) -> None:
    """Carry out a call; whatever is wrong with it is its answer."""
    try:
        row = _row(target, call.method)
        if IGNORES_STATE not in target.settings.faults:
            _check_state(target, call.method, row)
        _decode(target, call, row)
        _serve(target, call)
    except Refused as refused:
        call.refuse(refused.code, refused.message)


def _row(target: Target, name: str) -> Method | None:
    """Return the catalogue's row of a method that the version has; None if it is not catalogued."""
    variant = target.settings.variant
    row = method_of(name)
    if row is not None and name in row.aliases and variant.rpc_deprecated_aliases:
        _warn(target, name, row.name)
    elif not _has(variant, name, row):
        raise Refused(NO_METHOD.code, NO_METHOD.message)
    return row


def _has(variant: Variant, name: str, row: Method | None) -> bool:
    if row is None:
        return name in offer_of(variant).methods
    return name == row.name and is_in(row, variant.version)


def _warn(target: Target, name: str, instead: str) -> None:
    warned = target.part(Warned).names
    if name not in warned:
        warned.add(name)
        text = f"RPC method {name} is deprecated.  Use {instead} instead."
        target.log.line("rpc.c:90", "_log_deprecated", "WARNING", text)


def _check_state(target: Target, name: str, row: Method | None) -> None:
    offer = offer_of(target.settings.variant)
    states = row.states if row is not None else "runtime"
    if name in offer.both or states == "both":
        return
    is_startup = name in offer.startup or states == "startup"
    if is_startup and not target.framework.may("allows_startup"):
        raise Refused(WRONG_STATE.code, TOO_LATE)
    if not is_startup and not target.framework.may("allows_runtime"):
        raise Refused(WRONG_STATE.code, TOO_EARLY)


def _decode(target: Target, call: Call, row: Method | None) -> None:
    if row is None:
        call.params = dict(call.given) if isinstance(call.given, dict) else {}
        return
    call.method = row.name
    given = call.given
    if ACCEPTS_MALFORMED in target.settings.faults and isinstance(given, dict):
        known = parameters_in_version(row, target.settings.variant.version)
        given = {name: value for name, value in given.items() if name in known}
    call.params = decode(row, given, target.settings.variant)


def _serve(target: Target, call: Call) -> None:
    handler = target.handlers.get(call.method)
    if handler is None:
        text = f"{call.method} is not emulated"
        target.log.line("rpc.c:1", "emulated", "WARNING", text)
        raise Refused(ENOTSUP)
    handler(target, call)
