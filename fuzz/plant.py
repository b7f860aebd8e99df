"""Contradictions by construction: records that no target that keeps its promises can leave.

They stand on a connection of their own, about a bdev that nothing else names, and nothing between
them may end the target: no connection that the target closes, no call that shuts it down. None
stands for "cannot be done here".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random

from bdevcheck.model.catalogue import Method, catalogue, rows_by_name
from fuzz.row import (
    Row,
    answered,
    asked,
    highest_conn,
    inserted,
    messages_of,
    opened,
    sequence_of,
    wire_of,
)
from fuzz.sample import Sample


def plant_absence(sample: Sample, random: Random) -> Sample | None:
    """Let a create succeed, and a look-up not find its bdev, before any delete."""
    create, name = random.choice(_creates()), _new_name(random)
    missing = {"code": random.choice(_lookup().missing), "message": "No such device"}
    alone = random.random() < 0.7

    def said(conn: int) -> list[Row]:
        return [
            *_success(conn, 1, create, name, name),
            asked(conn, 2, _lookup().name, {_name_parameter(_lookup()): name} if alone else {}),
            answered(conn, 2, error=missing) if alone else answered(conn, 2, result=[]),
        ]

    return _planted(sample, random, said)


def plant_presence(sample: Sample, random: Random) -> Sample | None:
    """Let a delete succeed, and a look-up find its bdev afterwards."""
    create, name = random.choice(_creates()), _new_name(random)
    delete = random.choice(_deletes_of(create))

    def said(conn: int) -> list[Row]:
        return [
            *_success(conn, 1, create, name, name),
            *_success(conn, 2, delete, name, True),
            *_success(conn, 3, _lookup(), name, [{"name": name, "aliases": []}]),
        ]

    return _planted(sample, random, said)


def plant_second_reply(sample: Sample, random: Random) -> Sample | None:
    """Let a call be answered twice."""
    create, name = random.choice(_creates()), _new_name(random)

    def said(conn: int) -> list[Row]:
        request, reply = _success(conn, 1, create, name, name)
        return [request, reply, reply]

    return _planted(sample, random, said)


def _planted(sample: Sample, random: Random, said: Callable[[int], list[Row]]) -> Sample | None:
    rows = sequence_of(sample.wire)
    if rows is None:
        return None
    conn = highest_conn(rows) + 1
    new = [opened(conn), *said(conn)]
    end = next((at for at, row in enumerate(rows) if _may_end_target(row)), len(rows) - 1)
    if end < 1:
        return None
    wire = wire_of(inserted(rows, sorted(random.randint(1, end) for _ in new), new))
    return None if wire is None else replace(sample, wire=wire)


def _may_end_target(row: Row) -> bool:
    if row.get("kind") == "close" and row.get("by") == "target":
        return True
    called = [message.get("method") for message in messages_of(row)]
    rows = [rows_by_name().get(each) for each in called if isinstance(each, str)]
    return any(method is not None and method.kind == "shutdown" for method in rows)


def _success(conn: int, id: int, method: Method, name: str, result: object) -> list[Row]:
    params = {**dict.fromkeys(method.required, 1), _name_parameter(method): name}
    return [asked(conn, id, method.name, params), answered(conn, id, result=result)]


def _new_name(random: Random) -> str:
    return f"planted-{random.randrange(10**9)}"


def _name_parameter(method: Method) -> str:
    return method.bdevs[0].strip("{}")


@cache
def _creates() -> tuple[Method, ...]:
    """Return the creates that stand on nothing, must not wait, and whose bdev cannot vanish."""
    return tuple(
        method
        for method in catalogue().values()
        if method.kind == "create"
        and (method.result, method.contract) == ("name", "plain")
        and not (method.bases or method.store or method.defers or method.volatile)
        and _names_one(method)
        and _deletes_of(method)
    )


def _deletes_of(create: Method) -> list[Method]:
    rows = [rows_by_name()[each] for each in create.deleted_by]
    return [method for method in rows if method.kind == "delete" and _names_one(method)]


@cache
def _lookup() -> Method:
    """Return the look-up by name that says by an error that there is no such bdev."""
    rows = catalogue().values()
    return next(m for m in rows if m.kind == "lookup" and m.missing and _names_one(m))


def _names_one(method: Method) -> bool:
    return method.bdevs == (f"{{{method.bdevs[0].strip('{}')}}}",) if method.bdevs else False
