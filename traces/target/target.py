"""The emulated target: its layers, its modules, and what is done with a call."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import MACHINES
from bdevcheck.traces.target.layer import Layer
from bdevcheck.traces.target.lives import Life, Lives
from bdevcheck.traces.target.log import Log
from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.rpc.call import Call
from bdevcheck.traces.target.settings import Settings

PartT = TypeVar("PartT")
Handler = Callable[["Target", Call], None]


@dataclass(slots=True)
class Target:
    """One run of a target.

    `handlers` are the methods that it serves, by catalogued name. `parts` is what modules remember:
    each keeps one thing of a type of its own, see `part`. `kept_uuids` lie in the folder of the
    state.
    """

    settings: Settings
    reactor: Reactor
    log: Log
    lives: Lives
    layer: Layer
    framework: Life
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    parts: dict[type, object] = field(default_factory=dict)
    chance: random.Random = field(default_factory=random.Random)
    kept_uuids: frozenset[str] = frozenset()

    def part(self, kind: type[PartT]) -> PartT:
        """Return what a module remembers in a `kind`, made at need without arguments."""
        known = self.parts.get(kind)
        if not isinstance(known, kind):
            known = self.parts[kind] = kind()
        return known

    def new_uuid(self) -> str:
        """Return a random uuid, the same in each run of one seed and one state.

        Another run of the seed may have drawn it before: one that a bdev has, or that lies in the
        folder of the state, is not drawn again.
        """
        while True:
            uuid = str(UUID(int=self.chance.getrandbits(128), version=4))
            if uuid not in self.layer.names and uuid not in self.kept_uuids:
                return uuid


def begin(
    settings: Settings,
    reactor: Reactor | None = None,
    log: Log | None = None,
    machines: Mapping[str, Machine] = MACHINES,
) -> Target:
    """Start a target without sockets; calls are given to `rpc.dispatch.dispatch`."""
    from bdevcheck.traces.target.faults import plant
    from bdevcheck.traces.target.modules import HANDLERS, MODULES
    from bdevcheck.traces.target.modules.contents import uuids_in

    reactor = reactor or Reactor()
    log = log or Log(reactor)
    lives = Lives(machines)
    layer = Layer(reactor, lives, log, settings.variant)
    framework = lives.begin("framework")
    for event in ("wait_for_rpc",) if settings.wait_for_rpc else ("boot", "finish_boot"):
        framework.fire(event)
    target = Target(settings, reactor, log, lives, layer, framework, HANDLERS)
    target.kept_uuids = uuids_in(settings.state)
    target.chance.seed(settings.seed)
    layer.modules = [make(target) for make in MODULES]
    plant(target)
    return target
