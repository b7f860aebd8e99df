"""What the framework itself answers: its state, its version, its methods, what it was set to.

Sources: LIFECYCLE 2.8, 2.9, 6.2; lib/event/app_rpc.c, lib/rpc/rpc.c, lib/init/subsystem_rpc.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue import methods
from bdevcheck.traces.target.modules import saved
from bdevcheck.traces.target.offers import offer_of
from bdevcheck.traces.target.reactor import MS
from bdevcheck.traces.target.refusal import Refused
from bdevcheck.traces.target.release import BEFORE_RELEASE, COMMITS, UNRELEASED

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

INVALID_PARAMS = -32602
INIT_NS = 100 * MS
"""How long the initialisation of the subsystems takes (measured: run i1)."""
_TAG = re.compile(r"v(\d+)\.(\d+)$")


@dataclass(slots=True)
class Waiting:
    """Who waits for the framework to be initialised."""

    calls: list[Callable[[], None]] = field(default_factory=list)


@dataclass(slots=True)
class Options:
    """What option setters were given, by method, in the order of the first call."""

    given: dict[str, dict[str, object]] = field(default_factory=dict)


# -- state -----------------------------------------------------------------------------------------


def start_init(target: Target, call: Call) -> None:
    """Serve framework_start_init: answered when the subsystems are initialised."""
    target.framework.fire("start_init")
    target.reactor.after(INIT_NS, lambda: _initialised(target, call))


def _initialised(target: Target, call: Call) -> None:
    target.framework.fire("finish_init")
    call.reply(result=True)
    waiting = target.part(Waiting)
    calls, waiting.calls = waiting.calls, []
    for answer in calls:
        answer()


def wait_init(target: Target, call: Call) -> None:
    """Serve framework_wait_init."""
    if target.framework.may("allows_runtime"):
        call.reply(result=True)
    else:
        target.part(Waiting).calls.append(lambda: call.reply(result=True))


# -- version and methods ---------------------------------------------------------------------------


def get_version(target: Target, call: Call) -> None:
    """Serve spdk_get_version: of a release its number, of another revision the hash."""
    version = target.settings.build or target.settings.variant.version
    tag = _TAG.match(version)
    major, minor = (int(tag[1]), int(tag[2])) if tag else UNRELEASED[version]
    suffix, commit = ("", COMMITS.get(version, "")) if tag else (BEFORE_RELEASE, version)
    told = f"SPDK v{major}.{minor:02}{suffix}" + (f" git sha1 {commit}" if commit else "")
    fields: dict[str, object] = {"major": major, "minor": minor, "patch": 0, "suffix": suffix}
    call.reply({"version": told, "fields": {**fields, **({"commit": commit} if commit else {})}})


def get_methods(target: Target, call: Call) -> None:
    """Serve rpc_get_methods."""
    offer = offer_of(target.settings.variant)
    now = target.framework.may("allows_runtime")
    names = offer.allowed(runtime=now) if call.params.get("current") else list(offer.methods)
    call.reply([*names, *(_aliases(target, names) if call.params.get("include_aliases") else ())])


def _aliases(target: Target, names: list[str]) -> Iterator[str]:
    if target.settings.variant.rpc_deprecated_aliases:
        rows = methods()
        for name in names:
            yield from rows[name].aliases if name in rows else ()


# -- configuration ---------------------------------------------------------------------------------


def set_options(target: Target, call: Call) -> None:
    """Serve any setter of options; what framework_get_config tells of is remembered."""
    if call.method in offer_of(target.settings.variant).options:
        target.part(Options).given.setdefault(call.method, {}).update(call.params)
    call.reply(result=True)


def set_bdev_options(target: Target, call: Call) -> None:
    """Serve bdev_set_options."""
    examine = call.params.get("bdev_auto_examine")
    if isinstance(examine, bool):
        target.layer.auto_examine = examine
    set_options(target, call)


SUBSYSTEMS = ("scheduler", "keyring", "iobuf", "sock", "vmd", "accel", "bdev", "nvmf", "iscsi")
"""Those of spdk_tgt that a configuration can be about, in the order of their initialisation."""


SILENT = ("scsi", "nbd", "ublk", "vhost_blk", "vhost_scsi", "fsdev")
"""The others, of which there is nothing to configure here."""


def get_subsystems(_: Target, call: Call) -> None:
    """Serve framework_get_subsystems."""
    before: list[str] = []
    told = []
    for name in SUBSYSTEMS:
        told.append({"subsystem": name, "depends_on": before[-1:]})
        before.append(name)
    call.reply(told)


def get_config(target: Target, call: Call) -> None:
    """Serve framework_get_config: the calls that make what there is; only of bdev there are any."""
    name = call.params.get("name")
    if name not in (*SUBSYSTEMS, *SILENT):
        raise Refused(INVALID_PARAMS, f"Subsystem '{name}' not found")
    if name != "bdev":
        call.reply(None)
        return
    given = target.part(Options).given
    call.reply(list(saved.calls(target, given, batches=call.params.get("with_batches") is True)))


HANDLERS: Mapping[str, Handler] = {
    "framework_start_init": start_init,
    "framework_wait_init": wait_init,
    "framework_get_subsystems": get_subsystems,
    "framework_get_config": get_config,
    "framework_set_scheduler": set_options,
    "spdk_get_version": get_version,
    "rpc_get_methods": get_methods,
    "bdev_set_options": set_bdev_options,
    "bdev_nvme_set_options": set_options,
    "bdev_nvme_set_hotplug": set_options,
    "iobuf_set_options": set_options,
    "sock_impl_set_options": set_options,
    "sock_set_default_impl": set_options,
    "accel_set_options": set_options,
    "nvmf_set_config": set_options,
    "nvmf_set_max_subsystems": set_options,
    "nvmf_set_crdt": set_options,
    "iscsi_set_options": set_options,
    "scheduler_set_options": set_options,
    "fsdev_set_opts": set_options,
}
