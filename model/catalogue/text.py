"""The catalogue as tables and pages for people, at most `WIDTH` columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bdevcheck.model.catalogue.difference import Difference, is_in
from bdevcheck.model.catalogue.method import (
    ERRNO,
    JSON_RPC,
    PROTOCOL,
    Change,
    Failure,
    Kind,
    Method,
    roles_of,
)
from bdevcheck.model.catalogue.point import (
    ReplyPoint,
    cases_of,
    is_early,
    parameters_of,
    reply_points,
)
from bdevcheck.model.variant import PARAMETERS, STANDS_FOR, VARIANTS

WIDTH = 100

KINDS: dict[Kind, str] = {
    "create": "Creates: they make bdevs",
    "delete": "Deletes: they end the bdevs that they name",
    "detach": "Detaches: bdevs may go with what is detached",
    "adopt": "Members of raids",
    "use": "Uses: they build on a bdev",
    "rename": "Renames",
    "examine": "Examination",
    "wait": "Waits",
    "lookup": "Look-ups",
    "other": "Bdevs that come later, without a call",
    "change": "Changes of bdevs, and of what is below them",
    "hold": "Consumers: they open or claim a bdev",
    "let-go": "Consumers: they let go",
    "view": "Views",
    "setting": "Settings",
    "logging": "Log",
    "shutdown": "Shutdown",
}
"""The kinds in order of the table, with their titles."""

_REPLIES = {
    "at-once": ("in call", "queued in the call itself"),
    "later": ("done", "queued when it is done"),
    "after-examine": ("examined", "queued when it is done and nothing is examined any more"),
    "at-initiation": ("begun", "queued when it has begun; the effect comes later"),
}
LEGEND = "\n".join(
    (
        *(f"{short:<11} {long}" for short, long in _REPLIES.values()),
        f"{'registered':<11} whether the new bdev is registered then; `not` in the versions named",
        f"{'defers':<11} success is right, too, while a base is missing",
        f"{'deleted by':<11} … stands for what the method's own name begins with",
    )
)


def overview(rows: Iterable[Method]) -> Iterator[RenderableType]:
    """Yield one table a kind, and what the columns mean."""
    grouped: dict[str, list[Method]] = {kind: [] for kind in KINDS}
    for row in rows:
        grouped[row.kind].append(row)
    for kind, title in KINDS.items():
        if grouped[kind]:
            yield Group(Text(title, style="bold"), _table_of(grouped[kind]), Text())
    yield Text(LEGEND)


def _table_of(rows: Sequence[Method]) -> Table:
    """Return a table of these rows, without the columns that are empty in all of them."""
    columns = {
        "method": [row.name for row in rows],
        "names | bases": [_about(row) for row in rows],
        "reply": [_REPLIES[row.reply][0] for row in rows],
        "registered": [_registered(row) for row in rows],
        "defers": ["yes" if row.defers else "" for row in rows],
        "versions": [_span(row) for row in rows],
        "deleted by": [_shortened(row) for row in rows],
    }
    filled = {title: cells for title, cells in columns.items() if any(cells)}
    table = _plain(*filled)
    for cells in zip(*filled.values(), strict=True):
        table.add_row(*cells)
    return table


def _plain(*titles: str) -> Table:
    """Return a table without lines, whose first column is not broken."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for number, title in enumerate(titles):
        table.add_column(title, overflow="fold", no_wrap=number == 0)
    return table


def _about(row: Method) -> str:
    """Return the bdevs that a call names, and the bases after a bar."""
    named = ", ".join(row.bdevs or tuple(filter(None, [row.alias or row.store])))
    bases = ", ".join(row.bases + row.existing)
    return f"{named} | {bases}" if named and bases else named or (bases and f"| {bases}")


def _registered(row: Method) -> str:
    """Say whether the bdev is registered when the create is answered, in which versions not."""
    if row.kind != "create":
        return ""
    early = [name for name in VARIANTS if _is_early_in(row, name)]
    return f"not {', '.join(early)}" if early else "yes"


def _is_early_in(row: Method, variant: str) -> bool:
    return is_in(row, STANDS_FOR[variant]) and any(
        is_early(reply_points(row, case, VARIANTS[variant])) for case in cases_of(row)
    )


def _shortened(row: Method) -> str:
    """Return what deletes, each without the words that begin the method's name too."""
    found = []
    for name in row.deleted_by:
        words, own = name.split("_"), row.name.split("_")
        same = next(n for n in range(len(words) + 1) if words[: n + 1] != own[: n + 1])
        found.append("…_" * bool(same) + "_".join(words[same:]))
    return "\n".join(found)


def _span(thing: Method | Failure | Change) -> str:
    return f"{thing.since}-{thing.until}" if thing.since or thing.until else ""


# -- one method ------------------------------------------------------------------------------------


def page(row: Method) -> Iterator[RenderableType]:
    """Yield all that is known of a method."""
    yield Text(row.name, style="bold")
    yield _facts(row)
    for title, table in (
        ("Parameters", _parameter_rows(row)),
        ("Success reply", _point_rows(row)),
        ("Errors", _error_rows(row)),
        ("Depends on the version", _version_rows(row)),
    ):
        if table.row_count:
            yield Text(f"\n{title}", style="bold")
            yield table
    yield Text()


def _facts(row: Method) -> Table:
    table = Table.grid(padding=(0, 2))
    for key, value in (
        ("kind", row.kind),
        ("module", row.module),
        ("versions", _span(row) or "all"),
        ("states", "startup and runtime" if row.states == "both" else row.states),
        ("old names", ", ".join(row.aliases)),
        ("bdevs", ", ".join(row.bdevs)),
        ("second name", row.alias),
        ("result", row.result + (f"; deferred: {row.when_deferred}" if row.when_deferred else "")),
        ("reply", _REPLIES[row.reply][1]),
        ("deferred", "yes, while a base is missing" if row.defers else ""),
        ("holds", f"its bases: {row.hold}" if row.hold != "none" else ""),
        ("deleted by", ", ".join(row.deleted_by)),
        ("note", row.note),
        ("source", row.source),
    ):
        if value:
            table.add_row(Text(key, style="dim"), Text(value))
    return table


_ROLES = {"N": "names the new bdev", "B": "names a bdev", "C": "names another object"}


def _parameter_rows(row: Method) -> Table:
    table = _plain("name", "", "role", "versions")
    roles = {name.partition(".")[0]: role for name, role in roles_of(row).items()}
    spans = {each.name: each for each in row.changes}
    for name in row.parameters:
        change = spans.get(name)
        span = _span(change) if change else ""
        need = "required" if name in row.required else "optional"
        table.add_row(name, need, _ROLES.get(roles.get(name, ""), ""), span)
    return table


def _point_rows(row: Method) -> Table:
    table = _plain("variant", "with", "step", "bdev")
    for case, points, names in _cases(row):
        first = (", ".join(names), case)
        for point in points:
            table.add_row(*first, point.step, str(point.standing or ""))
            first = ("", "")
    return table


def _cases(row: Method) -> list[tuple[str, tuple[ReplyPoint, ...], list[str]]]:
    """Return the reply points of each contract, with the variants that have them."""
    found: list[tuple[str, tuple[ReplyPoint, ...], list[str]]] = []
    for case in cases_of(row):
        for name in VARIANTS:
            if is_in(row, STANDS_FOR[name]):
                points = reply_points(row, case, VARIANTS[name])
                same = [each for each in found if each[:2] == (" ".join(case), points)]
                if same:
                    same[0][2].append(name)
                else:
                    found.append((" ".join(case), points, [name]))
    return found


def _error_rows(row: Method) -> Table:
    table = _plain("code", "", "cause", "message", "versions")
    code, message = row.decode
    decode = Failure(code, "the parameters do not decode", message)
    for each in (*row.errors, decode, *PROTOCOL):
        table.add_row(
            str(each.code), _name_of(each.code), each.cause, Text(each.message), _span(each)
        )
    return table


def _name_of(code: int) -> str:
    return ERRNO[code][0] if code in ERRNO else JSON_RPC[code]


def _version_rows(row: Method) -> Table:
    return parameter_table(list(parameters_of(row)))


# -- versions --------------------------------------------------------------------------------------


def parameter_table(names: Sequence[str]) -> Table:
    """Return variant parameters by bundle, with what each says."""
    table = _plain("parameter", *VARIANTS, "says")
    for name in names:
        marks = ("yes" if getattr(each, name) else "-" for each in VARIANTS.values())
        table.add_row(name, *marks, PARAMETERS[name])
    return table


def difference_lines(found: Iterable[Difference], before: str, after: str) -> Iterator[Text]:
    """Yield what differs between two bundles, as changes of a text are shown."""
    yield Text(f"- {before} ({STANDS_FOR[before]})\n+ {after} ({STANDS_FOR[after]})")
    method = ""
    for each in found:
        if each.method != method:
            yield Text(f"\n{each.method}", style="bold")
        method = each.method
        yield Text(f"  {each.what}" + (f", by {', '.join(each.by)}" if each.by else ""))
        yield from (Text(f"    - {line}", style="red") for line in each.before)
        yield from (Text(f"    + {line}", style="green") for line in each.after)
