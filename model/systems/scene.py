"""Scenes: the bdevs, the calls and the client that a system is made of, as data.

A scene says which bdevs there are and on what they are built, which calls a client makes, and in
which order. Components, roles and vectors follow from it, the machines and the method catalogue;
a system adds what its environment does, and what it claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bdevcheck.model.catalogue import Method, catalogue
from bdevcheck.model.catalogue.point import contract_of
from bdevcheck.model.compose import Vector, vector
from bdevcheck.model.machine import Machine
from bdevcheck.model.machines import Machines, script
from bdevcheck.model.systems.build import also, vectors_of
from bdevcheck.model.variant import Variant

Roles = Mapping[str, tuple[str, ...]]

CONNECTION = "connection"
SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `rpc` names its request's component, `about` the bdev or lvstore it concerns."""

    rpc: str
    method: str
    params: Mapping[str, object] = field(default_factory=dict)
    about: str = ""

    @property
    def row(self) -> Method:
        """Return the catalogue's row of the method."""
        return catalogue()[self.method]

    @property
    def label(self) -> str:
        """Return what to call its steps."""
        return f"{self.rpc} {self.method}"


@dataclass(frozen=True, slots=True)
class Scene:
    """Bdevs (name -> names of its bases), which of them are raids, lvstores (name -> base), calls.

    `examined` are the bdevs whose examination takes time of its own; default: all.
    """

    bdevs: Mapping[str, tuple[str, ...]]
    calls: tuple[Call, ...]
    raids: tuple[str, ...] = ()
    lvstores: Mapping[str, str] = field(default_factory=dict)
    examined: tuple[str, ...] | None = None

    @property
    def members(self) -> tuple[str, ...]:
        """Return the bdevs that are members of a raid, in order."""
        return tuple(dict.fromkeys(base for raid in self.raids for base in self.bdevs[raid]))

    @property
    def probed(self) -> tuple[str, ...]:
        """Return the bdevs that have an examination of their own."""
        return tuple(self.bdevs) if self.examined is None else self.examined


def components_of(scene: Scene, machines: Machines) -> dict[str, Machine]:
    """Return the components of a scene, apart from its client: see `roles_of` for their names."""
    parts: dict[str, Machine] = {call.rpc: machines.rpc for call in scene.calls}
    for name in scene.bdevs:
        parts |= {
            name: machines.bdev,
            f"{name}.name": machines.name,
            f"{name}.claim": machines.claim,
        }
        if name in scene.probed:
            parts[f"{name}.examine"] = machines.examine
    for raid in scene.raids:
        parts |= dict.fromkeys(slots_of(scene, raid), machines.slot)
        parts[f"{raid}.assembly"] = machines.raid
    parts |= {f"{base}.disk": machines.disk for base in scene.members}
    return parts | dict.fromkeys(scene.lvstores, machines.lvstore)


def slots_of(scene: Scene, raid: str) -> tuple[str, ...]:
    """Return the names of a raid's slots, one for each base."""
    return tuple(f"{raid}.slot{number}" for number in range(len(scene.bdevs[raid])))


def roles_of(scene: Scene, name: str) -> dict[str, tuple[str, ...]]:
    """Return what the roles of contracts are bound to, for calls about the bdev `name`."""
    bases = scene.bdevs[name]
    roles: dict[str, tuple[str, ...]] = {
        "bdev": (name,),
        "name": (f"{name}.name",),
        "base": tuple(f"{base}.name" for base in bases),
        "member": bases,
        "claim": tuple(f"{base}.claim" for base in bases),
    }
    if name in scene.probed:
        roles["examine"] = (f"{name}.examine",)
    if name in scene.raids:
        roles |= {
            "raid": (f"{name}.assembly",),
            "slot": slots_of(scene, name),
            "disk": tuple(f"{base}.disk" for base in bases),
        }
    return roles


def lvstore_roles(scene: Scene, name: str) -> dict[str, tuple[str, ...]]:
    """Return the roles of contracts about the lvstore `name`."""
    base = scene.lvstores[name]
    return {
        "lvstore": (name,),
        "base": (f"{base}.name",),
        "member": (base,),
        "claim": (f"{base}.claim",),
    }


def wait_roles(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Return the roles of bdev_wait_for_examine: everything that is examined."""
    return {
        "examine": tuple(f"{name}.examine" for name in scene.probed),
        "raid": tuple(f"{raid}.assembly" for raid in scene.raids),
    }


def handling(
    scene: Scene, call: Call, variant: Variant, *, failures: bool = False
) -> Iterator[Vector]:
    """Yield the steps of the handler of one call, by the contract of its method."""
    clauses = contract_of(call.row, call.params)
    roles = {"rpc": (call.rpc,), **_roles(scene, call)}
    yield from vectors_of(clauses, roles, call.label, variant, failures=failures)


def _roles(scene: Scene, call: Call) -> Roles:
    match call.row.kind:
        case "wait":
            return wait_roles(scene)
        case "use":
            return lvstore_roles(scene, call.about)
        case "lookup":
            return {"present": (f"{call.about}.name",), "missing": ()}
        case _:
            return roles_of(scene, call.about)


def examinations(scene: Scene) -> Iterator[Vector]:
    """Yield the end of each examination."""
    for name in scene.probed:
        yield vector(f"examine {name}: finished", {f"{name}.examine": "finish"})


def in_order(calls: tuple[Call, ...]) -> tuple[Machine, dict[str, tuple[Vector, dict[str, str]]]]:
    """Return a client that makes each call when the one before is answered, whatever the answer.

    For each request's component: the step that sends it, and what takes its reply.
    """
    sends = {
        call.rpc: (
            vector(
                f"{call.label}: request",
                {SCRIPT: f"call_{number}", call.rpc: "receive", CONNECTION: "is_open"},
            ),
            {SCRIPT: f"answer_{number}", CONNECTION: "carries_replies"},
        )
        for number, call in enumerate(calls, 1)
    }
    return script(len(calls)), sends


def scripted(scene: Scene, variant: Variant, *, failures: bool = False) -> Iterator[Vector]:
    """Yield all steps of a scene whose client makes its calls in order, on one connection."""
    yield from examinations(scene)
    _, sends = in_order(scene.calls)
    for call in scene.calls:
        send, seen = sends[call.rpc]
        yield send
        steps = handling(scene, call, variant, failures=failures)
        yield from also(steps, {"send_ok": seen, "send_error": seen})


def scripted_parts(scene: Scene, machines: Machines) -> dict[str, Machine]:
    """Return the components of such a system."""
    client, _ = in_order(scene.calls)
    return {SCRIPT: client, CONNECTION: machines.connection, **components_of(scene, machines)}
