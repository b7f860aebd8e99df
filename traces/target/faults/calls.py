"""Faults of calls: the reply and what is done do not belong together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bdevcheck.model.catalogue.method import Method
from bdevcheck.model.machines.raid import SHOWN
from bdevcheck.traces.target.faults.wrap import LATER_NS, caught, named, run, run_later, wrap
from bdevcheck.traces.target.layer import Bdev

if TYPE_CHECKING:
    from bdevcheck.traces.target.rpc.call import Call
    from bdevcheck.traces.target.target import Handler, Target

ENOMEM, ENODEV = -12, -19
ONLINE, _, CONFIGURING = SHOWN


def _is_plain_create(row: Method) -> bool:
    """Tell whether a create's success can be said before it: it is a name given, or true."""
    return row.kind == "create" and bool(row.bdevs) and row.result in ("name", "bool")


def _makes_new(target: Target, row: Method, call: Call) -> bool:
    """Tell whether a create names a bdev that is not there, and bases that are."""
    names = list(named(row, call))
    bases = [value for each in row.bases for value in _texts(call.params.get(each))]
    free = bool(names) and not any(name in target.layer.names for name in names)
    return free and all(target.layer.find(base) is not None for base in bases)


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def create_replies_early(target: Target) -> None:
    """Answer creates with success, and register later."""

    def wrapper(row: Method, handler: Handler) -> Handler:
        def early(target: Target, call: Call) -> None:
            if not _makes_new(target, row, call):
                handler(target, call)
                return
            call.reply(next(named(row, call)) if row.result == "name" else True)
            run_later(target, handler, call)

        return early

    wrap(target, _is_plain_create, wrapper)


def error_leaves_effect(target: Target) -> None:
    """Answer creates with an error, and register all the same."""

    def wrapper(row: Method, handler: Handler) -> Handler:
        def refused(target: Target, call: Call) -> None:
            if not _makes_new(target, row, call):
                handler(target, call)
                return
            call.refuse(ENOMEM)
            run_later(target, handler, call)

        return refused

    wrap(target, _is_plain_create, wrapper)


def create_names_another(target: Target) -> None:
    """Answer creates with the name of a bdev that they did not make."""

    def wrapper(_: Method, handler: Handler) -> Handler:
        def renamed(target: Target, call: Call) -> None:
            handler(target, caught(call, lambda name: call.reply(f"{name}x")))

        return renamed

    wrap(target, lambda row: row.kind == "create" and row.result == "name", wrapper)


def delete_replies_early(target: Target) -> None:
    """Answer deletes with success when they begin, and let somebody hold the bdev for a while."""

    def wrapper(row: Method, handler: Handler) -> Handler:
        def early(target: Target, call: Call) -> None:
            names = list(named(row, call))
            if not all(target.layer.find(name) for name in names):
                handler(target, call)
                return
            for name in names:
                holder = target.layer.open(name, "fault", write=False)
                target.reactor.after(LATER_NS, partial(target.layer.close, holder))
            run(target, handler, caught(call, lambda _: None, lambda _code, _text: None))
            call.reply(result=True)

        return early

    wrap(target, lambda row: row.kind == "delete" and bool(row.bdevs), wrapper)


def deleted_returns(target: Target) -> None:
    """Register a bdev again, of itself, when it was deleted."""

    def wrapper(row: Method, handler: Handler) -> Handler:
        def deleted(target: Target, call: Call) -> None:
            bdevs = [target.layer.find(name) for name in named(row, call)]

            def answer(result: object) -> None:
                call.reply(result)
                target.reactor.after(LATER_NS, lambda: _return(target, bdevs))

            handler(target, caught(call, answer))

        return deleted

    wrap(target, lambda row: row.kind == "delete" and bool(row.bdevs), wrapper)


def _return(target: Target, bdevs: list[Bdev | None]) -> None:
    for bdev in bdevs:
        if bdev is not None and bdev.name not in target.layer.names:
            bdev.life = target.lives.begin("bdev")
            target.layer.register(bdev)


def wait_ends_early(target: Target) -> None:
    """Answer bdev_wait_for_examine at once."""

    def wrapper(_: Method, __: Handler) -> Handler:
        return lambda _, call: call.reply(result=True)

    wrap(target, lambda row: row.kind == "wait", wrapper)


def lookup_misses(target: Target) -> None:
    """Answer every second look-up by name of a bdev that is there with -19."""
    asked: dict[str, int] = {}

    def wrapper(row: Method, handler: Handler) -> Handler:
        def missed(target: Target, call: Call) -> None:
            for name in named(row, call):
                if target.layer.find(name):
                    asked[name] = asked.get(name, 0) + 1
                    if asked[name] % 2 == 0:
                        call.refuse(ENODEV)
                        return
            handler(target, call)

        return missed

    wrap(target, lambda row: row.kind == "lookup" and bool(row.missing), wrapper)


def rename_keeps_old_name(target: Target) -> None:
    """Leave the old alias of a renamed bdev in place."""

    def wrapper(row: Method, handler: Handler) -> Handler:
        def renamed(target: Target, call: Call) -> None:
            old = str(call.params.get(row.bases[0], "")) if row.bases else ""
            bdev = target.layer.find(old)

            def answer(result: object) -> None:
                if bdev is not None and old not in target.layer.names:
                    target.layer.add_alias(bdev, old)
                call.reply(result)

            handler(target, caught(call, answer))

        return renamed

    wrap(target, lambda row: row.kind == "rename", wrapper)


def lvol_alias_is_lost(target: Target) -> None:
    """Take the alias of a volume away before its create is answered."""

    def wrapper(_: Method, handler: Handler) -> Handler:
        def made(target: Target, call: Call) -> None:
            def answer(result: object) -> None:
                bdev = target.layer.find(str(result))
                if bdev is not None:
                    for alias in list(bdev.aliases):
                        target.layer.drop_alias(bdev, alias)
                call.reply(result)

            handler(target, caught(call, answer))

        return made

    wrap(target, lambda row: row.kind == "create" and bool(row.alias), wrapper)


def raid_looks_unfinished(target: Target) -> None:
    """Say that online raids are configuring."""

    def wrapper(_: Method, handler: Handler) -> Handler:
        def viewed(target: Target, call: Call) -> None:
            def answer(result: object) -> None:
                for raid in result if isinstance(result, list) else []:
                    if isinstance(raid, dict) and raid.get("state") == ONLINE:
                        raid["state"] = CONFIGURING
                call.reply(result)

            run(target, handler, caught(call, answer))

        return viewed

    wrap(target, lambda row: row.module == "raid" and row.result in ("bdevs", "list"), wrapper)
