"""Stateful tests of a target: any calls in any order, recorded and judged (needs hypothesis).

from bdevcheck.conformance.stateful import EmulatedLink, machine_for

TestTarget = machine_for(lambda: EmulatedLink("modern"), known_in="modern").TestCase
"""

from bdevcheck.conformance.stateful.choice import METHODS
from bdevcheck.conformance.stateful.link import EmulatedLink, Line, Link
from bdevcheck.conformance.stateful.machine import machine_for
from bdevcheck.conformance.stateful.script import Step, script_of
from bdevcheck.conformance.stateful.session import Session, ViolationError, require_conformance
from bdevcheck.conformance.stateful.socket_link import LinkError, SocketLink

__all__ = [
    "METHODS",
    "EmulatedLink",
    "Line",
    "Link",
    "LinkError",
    "Session",
    "SocketLink",
    "Step",
    "ViolationError",
    "machine_for",
    "require_conformance",
    "script_of",
]
