"""What must hold between the columns of a row, and between rows, beyond their types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bdevcheck.model.catalogue.method import (
    ANYTHING,
    ERRNO,
    JSON_RPC,
    TOLD,
    Method,
    is_followed,
)
from bdevcheck.model.catalogue.template import is_well_formed, parameters_in
from bdevcheck.model.contract.framework import STARTING
from bdevcheck.model.variant import PARAMETERS, VERSIONS

ENDINGS = ("delete", "detach", "let-go", "setting")
"""The kinds of methods that take something away."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one row: the method, the column, what was found, what is allowed."""

    method: str
    key: str
    found: object
    allowed: str


Rows = Mapping[str, Method]
Found = Iterator[tuple[str, object, str]]
"""The column, what was found in it, and what is allowed."""


def problems_in(rows: Rows) -> Iterator[Problem]:
    """Yield what is wrong with rows, in their order; a catalogue without problems yields nothing.

    A pass proves that the rows fit together, not that they say what SPDK does.
    """
    for name, row in rows.items():
        found = [*_names(row, rows), *_links(row, rows)]
        for check in ALONE:
            found += check(row)
        yield from (Problem(name, *each) for each in found)


def _names(row: Method, rows: Rows) -> Found:
    """Let no two rows go by one name, old names included."""
    for alias in row.aliases:
        if alias in rows:
            yield "aliases", alias, "a name that is no row's own"
        holders = [other.name for other in rows.values() for each in other.aliases if each == alias]
        if len(holders) > 1:
            yield "aliases", alias, f"an alias of one row; it is one of {', '.join(holders)}"


def _parameters(row: Method) -> Found:
    """Let every parameter be declared once, and every column name declared ones."""
    for name, times in Counter(row.parameters).items():
        if times > 1:
            yield "optional", name, "each parameter once, required or optional"
    known = f"a parameter of the method: {', '.join(row.parameters) or 'it has none'}"
    for key, names in _uses(row):
        for name in names:
            if name.partition(".")[0] not in row.parameters:
                yield key, name, known


def _uses(row: Method) -> Iterator[tuple[str, Iterable[str]]]:
    yield from (("bases", row.bases), ("existing", row.existing), ("objects", row.objects))
    yield "changes", [change.name for change in row.changes]
    yield "forgives", [name for name in row.forgives if name != ANYTHING]
    for key in ("superblock", "auto_examine", "peer"):
        yield key, filter(None, [getattr(row, key)])
    for key, templates in _templates(row):
        yield key, [name for template in templates for name in parameters_in(template)]


def _templates(row: Method) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from (("bdevs", row.bdevs), ("store", (row.store,)), ("alias", (row.alias,)))


def _braces(row: Method) -> Found:
    for key, templates in _templates(row):
        for template in templates:
            if not is_well_formed(template):
                yield key, template, "fields {p}, {p#}, {p^} and {p|q}, and no other brace"


def _links(row: Method, rows: Rows) -> Found:
    for name in row.deleted_by:
        if name not in rows or rows[name].kind not in ENDINGS:
            yield "deleted_by", name, f"the name of a row of kind {', '.join(ENDINGS)}"


def _errors(row: Method) -> Found:
    code, _ = row.decode
    if code not in JSON_RPC and code not in ERRNO:
        yield "decode", code, _CODES
    for failure in row.errors:
        if failure.code not in JSON_RPC and failure.code not in ERRNO:
            yield "errors", failure.code, _CODES
        elif failure.code in JSON_RPC and not failure.says:
            yield "errors", failure.code, "a message, where the code is one of JSON-RPC"
        if not failure.cause:
            yield "errors", failure.code, "a cause"
    explained = {failure.code for failure in row.errors}
    for key, codes in (("missing", row.missing), ("ghosts", row.ghosts)):
        for code in codes:
            if code not in explained:
                yield key, code, "codes that `errors` explains"


_CODES = f"codes of JSON-RPC {sorted(JSON_RPC)} and errno {sorted(ERRNO)}"


def _variants(row: Method) -> Found:
    allowed = f"a parameter of Variant: {', '.join(PARAMETERS)}"
    used = [("early", row.early), *(("varies", name) for name in row.varies)]
    used += [("changes", change.by) for change in row.changes]
    for key, name in used:
        if name and name not in PARAMETERS:
            yield key, name, allowed


def _versions(row: Method) -> Found:
    yield from _span("since", "until", row.since, row.until)
    for failure in row.errors:
        yield from _span("errors", "errors", failure.since, failure.until)
    for change in row.changes:
        yield from _span("changes", "changes", change.since, change.until)


def _span(first: str, last: str, since: str, until: str) -> Found:
    order = list(VERSIONS)
    for key, version in ((first, since), (last, until)):
        if version and version not in order:
            yield key, version, f"versions: {', '.join(order)}"
    known = [order.index(version) for version in (since, until) if version in order]
    if known != sorted(known):
        yield last, until, f"`until` no older than `since`, {since}"


def _deferral(row: Method) -> Found:
    """Keep to what there are contracts for."""
    if row.defers and not row.bases:
        yield "defers", True, "true only with `bases`"
    if row.defers and row.early:
        yield "early", row.early, "empty where `defers` is true"
    if row.when_deferred and not row.defers:
        yield "when_deferred", row.when_deferred, "a result only where `defers` is true"
    if row.ghosts and not row.defers:
        yield "ghosts", row.ghosts, "codes only where `defers` is true"
    if row.superblock and row.contract != "raid":
        yield "superblock", row.superblock, 'a parameter only where `contract` is "raid"'


def _results(row: Method) -> Found:
    if is_followed(row) and row.result not in TOLD:
        yield "result", row.result, f"of kind {row.kind}: {', '.join(sorted(TOLD))}"


def _start(row: Method) -> Found:
    """Let only methods of the framework be about its start, or tell what the target is."""
    if row.contract in STARTING and row.kind != "setting":
        yield "contract", row.contract, "of kind setting"
    if row.tells != "nothing" and row.result != "object":
        yield "tells", row.tells, "a result that is an object"


def _forgiven(row: Method) -> Found:
    for name in row.forgives:
        if name != ANYTHING and name in row.optional:
            yield "forgives", name, f"required parameters: {', '.join(row.required)}; or {ANYTHING}"


def _places(row: Method) -> Found:
    for key in ("module", "source"):
        if not getattr(row, key):
            yield key, "", "some text"


ALONE: tuple[Callable[[Method], Found], ...] = (
    _parameters,
    _braces,
    _errors,
    _variants,
    _versions,
    _deferral,
    _results,
    _start,
    _forgiven,
    _places,
)
"""The checks that look at one row alone."""
