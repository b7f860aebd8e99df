"""The catalogue as a JSON document; its form is docs/catalogue.schema.json."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from bdevcheck.model.catalogue.difference import Difference, is_in
from bdevcheck.model.catalogue.method import Method, roles_of
from bdevcheck.model.catalogue.point import cases_of, parameters_of, reply_points
from bdevcheck.model.variant import PARAMETERS, STANDS_FOR, VARIANTS

Document = dict[str, object]
VERSION = 1


def document_of(
    methods: Iterable[Method] = (),
    parameters: Iterable[str] = (),
    compared: Iterable[str] = (),
    differences: Iterable[Difference] = (),
) -> Document:
    """Return the whole document; every member is always there, empty where it was not asked for."""
    return {
        "version": VERSION,
        "methods": [_method(each) for each in methods],
        "parameters": [_parameter(each) for each in parameters],
        "compared": list(compared),
        "differences": [msgspec.to_builtins(each) for each in differences],
    }


def _method(row: Method) -> Document:
    columns: Document = msgspec.to_builtins(row)
    return columns | {
        "changes": [msgspec.to_builtins(each) for each in row.changes],
        "decode": {"code": row.decode[0], "message": row.decode[1]},
        "errors": [
            {
                "code": each.code,
                "cause": each.cause,
                "message": each.message,
                "since": each.since,
                "until": each.until,
            }
            for each in row.errors
        ],
        "roles": roles_of(row),
        "depends_on": list(parameters_of(row)),
        "reply_points": list(_points(row)),
    }


def _points(row: Method) -> Iterator[Document]:
    for name, variant in VARIANTS.items():
        for case in cases_of(row) if is_in(row, STANDS_FOR[name]) else ():
            for point in reply_points(row, case, variant):
                yield {
                    "variant": name,
                    "params": dict(case),
                    "step": point.step,
                    "requires": dict(point.requires),
                    "needs": dict(point.needs),
                    "bdev": point.standing and str(point.standing),
                }


def _parameter(name: str) -> Document:
    return {
        "name": name,
        "says": PARAMETERS[name],
        "variants": {each.name: getattr(each, name) for each in VARIANTS.values()},
    }
