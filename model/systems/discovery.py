"""NVMe controllers attached by request, and by a discovery service.

The client makes one call: it attaches a controller (with `max_bdevs` of two, or of one), or starts
a discovery service, which attaches what its log page lists (with wait_for_attach or without). The
controller has two namespaces, alike; the name of either's bdev may be taken by another bdev first,
so that its registration fails. The log page may list nothing, and may change later.

Bounds: one call, one controller, two namespaces; no `attach_timeout_ms`; the controller stays. A
name is taken by others before the call, or never.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdevcheck.model.clause import Clause
from bdevcheck.model.compose import UNFAIR, System, Vector, vector
from bdevcheck.model.contract import (
    CONNECT,
    DISCOVER,
    DISCOVERY_START,
    DISCOVERY_START_AND_WAIT,
    NAMESPACES,
    NVME_ATTACH,
    NVME_LEAVES_OUT,
    NVME_LISTS_ALL,
    NVME_LISTS_TOO_FEW,
)
from bdevcheck.model.expression import Expression, able, at
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import LIFE_CYCLES, Machines, any_call
from bdevcheck.model.machines.bdev import BDEV
from bdevcheck.model.machines.controller import CONTROLLER
from bdevcheck.model.machines.discovery import DISCOVERY
from bdevcheck.model.machines.examine import EXAMINE
from bdevcheck.model.machines.rpc import ASKS, RPC
from bdevcheck.model.property import (
    Property,
    always,
    leads_to,
    never_breaks,
    no_deadlock,
    sometimes,
)
from bdevcheck.model.rule import ANSWERED, ERROR_WITHOUT_EFFECT, RESULT_NAMES_REGISTERED
from bdevcheck.model.systems.build import after, vectors_of, with_events
from bdevcheck.model.variant import Variant

NAME = "discovery"
NAMESPACE_BDEVS = ("nvme0n1", "nvme0n2")
ATTACH, ATTACH_ONE, START, START_AND_WAIT = "attach", "attach_one", "start", "start_and_wait"
_Contract = tuple[Clause, ...]
CALLS: dict[str, tuple[str, _Contract, _Contract]] = {
    ATTACH: (
        "bdev_nvme_attach_controller",
        (*NVME_ATTACH, *NVME_LISTS_ALL),
        NVME_LEAVES_OUT,
    ),
    ATTACH_ONE: (
        "bdev_nvme_attach_controller, max_bdevs 1",
        (*NVME_ATTACH, *NVME_LISTS_TOO_FEW),
        NVME_LEAVES_OUT,
    ),
    START: ("bdev_nvme_start_discovery", DISCOVERY_START, ()),
    START_AND_WAIT: (
        "bdev_nvme_start_discovery, wait_for_attach",
        DISCOVERY_START_AND_WAIT,
        (),
    ),
}
"""The calls: what to call them, their contracts, and what is bound once for each namespace."""


def discovery(variant: Variant, machines: Machines = LIFE_CYCLES) -> System:
    """Build the system for one version of SPDK."""
    return System(
        name=NAME,
        components=_components(machines),
        vectors=tuple(_vectors(variant)),
        properties=PROPERTIES,
        rest=able("rpc", RPC, "is_complete") | _FOUND_NOTHING,
        about="one call: an NVMe controller with two namespaces is attached (max_bdevs 2 or 1), or "
        "a discovery service started (with wait_for_attach or not); names may be taken before",
    )


def _components(machines: Machines) -> dict[str, Machine]:
    parts: dict[str, Machine] = {
        "call": any_call(tuple(CALLS), {"is_not_made": tuple(CALLS)}),
        "rpc": machines.rpc,
        "discovery": machines.discovery,
        "controller": machines.controller,
    }
    for bdev in NAMESPACE_BDEVS:
        parts |= {
            bdev: machines.bdev,
            f"{bdev}.name": machines.name,
            f"{bdev}.examine": machines.examine,
        }
    return parts


def _vectors(variant: Variant) -> Iterator[Vector]:
    for bdev in NAMESPACE_BDEVS:
        taken = {f"{bdev}.name": "take", "call": "is_not_made"}
        yield vector(f"another bdev takes the name {bdev}", taken, fair=UNFAIR)
    for call, (label, *_) in CALLS.items():
        asked = {"call": f"choose_{call}", "rpc": ASKS}
        yield vector(f"{label}: request", asked, fair=UNFAIR)
        for each in _handling(call, variant):
            yield with_events(each, {"call": f"is_{call}"})
    yield from vectors_of(CONNECT, _roles(), "nvme0", variant)
    yield from vectors_of(DISCOVER, _roles(), "discovery service", variant, failures=True)
    changed = {"discovery": "read_again"}
    yield vector("the log page changes, to be read again", changed, fair=UNFAIR)
    for bdev in NAMESPACE_BDEVS:
        yield from vectors_of(NAMESPACES, _roles(bdev), bdev, variant)
        yield vector(f"examine {bdev}: finished", {f"{bdev}.examine": "finish"})


def _handling(call: str, variant: Variant) -> Iterator[Vector]:
    label, clauses, of_namespace = CALLS[call]
    yield from vectors_of(clauses, _roles(), label, variant, failures=True)
    for bdev in NAMESPACE_BDEVS:
        roles = {**_roles(), "left_out": (bdev,)}
        yield from vectors_of(of_namespace, roles, f"{label}, {bdev}", variant)


def _roles(*bdevs: str) -> dict[str, tuple[str, ...]]:
    """Return the roles of contracts, about the bdevs named, or else about both."""
    named = bdevs or NAMESPACE_BDEVS
    return {
        "rpc": ("rpc",),
        "discovery": ("discovery",),
        "controller": ("controller",),
        "bdev": named,
        "name": tuple(f"{bdev}.name" for bdev in named),
        "examine": tuple(f"{bdev}.examine" for bdev in named),
    }


def _any(expressions: Iterator[Expression]) -> Expression:
    return Expression("any", operands=tuple(expressions))


_FOUND_NOTHING = after("discovery", DISCOVERY, "find_nothing")
_SOME_REGISTERED = _any(able(bdev, BDEV, "has_registered") for bdev in NAMESPACE_BDEVS)
_SOME_UNBORN = _any(able(bdev, BDEV, "is_unborn") for bdev in NAMESPACE_BDEVS)
_SOME_FAILED = _any(after(bdev, BDEV, "fail") for bdev in NAMESPACE_BDEVS)
_SOME_EXAMINED = _any(able(f"{bdev}.examine", EXAMINE, "is_busy") for bdev in NAMESPACE_BDEVS)
_SUCCESS, _ERROR = after("rpc", RPC, "send_ok"), after("rpc", RPC, "send_error")
_ATTACHING = at("call", ATTACH, ATTACH_ONE)
_PENDING = able("rpc", RPC, "is_pending")

PROPERTIES: tuple[Property, ...] = (
    # Tied to the reply of an attach, when all is settled: a namespace is left out, not put off.
    never_breaks(RESULT_NAMES_REGISTERED.name),
    *(
        always(
            f"{bdev}-is-left-out-only-if-its-registration-failed",
            ~(_ATTACHING & _SUCCESS & able(bdev, BDEV, "is_unborn")) | after(bdev, BDEV, "fail"),
            RESULT_NAMES_REGISTERED.name,
        )
        for bdev in NAMESPACE_BDEVS
    ),
    always("what-attach-lists-is-examined", ~(_ATTACHING & _SUCCESS & _SOME_EXAMINED)),
    never_breaks(ERROR_WITHOUT_EFFECT.name),
    always(
        "error-without-effect-unless-beyond-max_bdevs",
        ~(at("call", ATTACH) & _ERROR & _SOME_REGISTERED),
        ERROR_WITHOUT_EFFECT.name,
    ),
    leads_to("start_and_wait-is-answered", _PENDING, _SUCCESS | _ERROR, ANSWERED.name),
    leads_to(
        "start_and_wait-is-answered-unless-the-log-page-is-empty",
        _PENDING,
        _SUCCESS | _ERROR | _FOUND_NOTHING,
        ANSWERED.name,
    ),
    leads_to(
        "attach-is-answered",
        _PENDING & _ATTACHING,
        _SUCCESS | _ERROR,
        ANSWERED.name,
    ),
    # Answered at initiation: `create-after-register` is not claimed of these calls, and why not.
    sometimes(
        "start-is-answered-before-anything-is-registered",
        at("call", START) & _SUCCESS & ~_SOME_REGISTERED,
    ),
    sometimes(
        "start-attaches-later", at("call", START) & _SUCCESS & _SOME_REGISTERED & ~_SOME_UNBORN
    ),
    sometimes(
        "start_and_wait-is-answered-although-a-registration-failed",
        at("call", START_AND_WAIT) & _SUCCESS & _SOME_FAILED,
    ),
    sometimes(
        "start_and_wait-is-answered-before-examination",
        at("call", START_AND_WAIT) & _SUCCESS & _SOME_EXAMINED,
    ),
    sometimes(
        "start_and_wait-is-answered-although-connecting-failed",
        at("call", START_AND_WAIT) & _SUCCESS & after("controller", CONTROLLER, "fail"),
    ),
    sometimes("connecting-fails", at("call", ATTACH) & _ERROR),
    no_deadlock(),
)
