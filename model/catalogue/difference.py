"""Differences: what two versions of SPDK do differently, method by method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bdevcheck.model.catalogue.method import Change, Failure, Method
from bdevcheck.model.catalogue.point import (
    ReplyPoint,
    cases_of,
    contract_of,
    parameters_of,
    reply_points,
)
from bdevcheck.model.variant import PARAMETERS, STANDS_FOR, VERSIONS, Variant

ALIASES = "rpc_deprecated_aliases"
"""The variant parameter under which deprecated names are understood."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what of which method, before and after (empty: not there).

    `by` are the variant parameters that tell the two versions apart here; none where only the
    version says so.
    """

    method: str
    what: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    by: tuple[str, ...] = ()


def is_in(thing: Method | Change | Failure, version: str) -> bool:
    """Tell whether a version has a method, a parameter or an error."""
    order = list(VERSIONS)
    first = order.index(thing.since) if thing.since else 0
    last = order.index(thing.until) if thing.until else len(order) - 1
    return first <= order.index(version) <= last


def parameters_in_version(method: Method, version: str) -> tuple[str, ...]:
    """Return the parameters that a version's method takes, the required ones first."""
    lacking = {change.name for change in method.changes if not is_in(change, version)}
    return tuple(name for name in method.parameters if name not in lacking)


def differences(
    rows: Mapping[str, Method], before: Variant, after: Variant
) -> Iterator[Difference]:
    """Yield what differs between two bundles, in order of the rows.

    Bundles are compared as the versions that they stand for (`STANDS_FOR`). Reply points are those
    of the contracts; of methods without one nothing is said.
    """
    first, second = STANDS_FOR[before.name], STANDS_FOR[after.name]
    for row in rows.values():
        there = is_in(row, first), is_in(row, second)
        if there == (True, True):
            yield from _within(row, before, after)
        elif any(there):
            old, new = (tuple([row.name] * each) for each in there)
            yield Difference(row.name, "method", old, new)


def _within(row: Method, before: Variant, after: Variant) -> Iterator[Difference]:
    found = [
        *_aliases(row, before, after),
        *_parameters(row, before, after),
        *_reply_points(row, before, after),
        *_errors(row, before, after),
    ]
    yield from found
    told = {name for each in found for name in each.by}
    for name in parameters_of(row):
        old, new = getattr(before, name), getattr(after, name)
        if old is not new and name not in told:
            text = (PARAMETERS[name],)
            yield Difference(row.name, "behaviour", text * old, text * new, (name,))


def _aliases(row: Method, before: Variant, after: Variant) -> Iterator[Difference]:
    old, new = (row.aliases * getattr(each, ALIASES) for each in (before, after))
    if old != new:
        yield Difference(row.name, "aliases", old, new, (ALIASES,))


def _parameters(row: Method, before: Variant, after: Variant) -> Iterator[Difference]:
    old, new = (parameters_in_version(row, STANDS_FOR[each.name]) for each in (before, after))
    lost, gained = _only(old, new), _only(new, old)
    if lost or gained:
        by = [change.by for change in row.changes if change.name in lost + gained and change.by]
        yield Difference(row.name, "parameters", lost, gained, tuple(dict.fromkeys(by)))


def _reply_points(row: Method, before: Variant, after: Variant) -> Iterator[Difference]:
    for case in cases_of(row):
        old, new = (reply_points(row, case, each) for each in (before, after))
        if old != new:
            what = " with ".join(("reply point", *case))
            by = [
                name
                for clause in contract_of(row, case)
                if clause.allowed_in(before) is not clause.allowed_in(after)
                for name, value in clause.needs.items()
                if getattr(before, name) is value or getattr(after, name) is value
            ]
            lost, gained = _only(_told(old), _told(new)), _only(_told(new), _told(old))
            yield Difference(row.name, what, lost, gained, tuple(dict.fromkeys(by)))


def _told(points: Iterable[ReplyPoint]) -> tuple[str, ...]:
    return tuple(
        f"{each.step} ({each.standing})" if each.standing else each.step for each in points
    )


def _errors(row: Method, before: Variant, after: Variant) -> Iterator[Difference]:
    old, new = (
        tuple(f"{e.code}: {e.cause}" for e in row.errors if is_in(e, STANDS_FOR[each.name]))
        for each in (before, after)
    )
    if old != new:
        yield Difference(row.name, "errors", _only(old, new), _only(new, old))


def _only(these: Iterable[str], those: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in these if each not in those)
