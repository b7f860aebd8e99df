"""Rename all bdevs, controllers and lvstores of a recording, on the wire and in the log alike.

Which parameters hold names is read off the catalogue. Names are made of other names (`Nvme0` makes
`Nvme0n1`, `m` makes `EE_m`, lvstore and volume make `lvs/lvol`), so a new name is the old one with
a prefix before each part of it, behind the words that the catalogue puts before a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from random import Random

from bdevcheck.model.catalogue import Method, methods, rows_by_name
from bdevcheck.model.catalogue.template import parameters_in
from bdevcheck.traces import FACT_ROWS
from fuzz.line import STAMP
from fuzz.row import Row, messages_of, rows_of, wire_of
from fuzz.sample import Sample, is_plain, joined, lines_of

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHOWN_KEYS = frozenset({"name", "aliases"})
"""What a look-up shows of a bdev; no parameter need be called so."""

Renaming = Callable[[str], str]


def rename_bdevs(sample: Sample, random: Random) -> Sample | None:
    """Put a prefix before every name; None where a line of the wire is no record, or all packed."""
    rows = rows_of(sample.wire)
    if rows is None or not is_plain(sample.log or b""):
        return None
    prefix = "".join(random.choices(_LETTERS, k=random.randint(1, 6)))
    renaming = _prefixed(prefix)
    names: set[str] = set()
    for row in rows:
        for message in messages_of(row):
            _rename_params(message, renaming, names)
            names.update(_shown_in(message.get("result"), "name"))
    for row in rows:
        for message in messages_of(row):
            if "result" in message:
                message["result"] = _renamed_result(message["result"], renaming, names)
    wire = wire_of(rows)
    if wire is None:
        return None
    return replace(sample, wire=wire, log=_renamed_log(sample.log, renaming))


def _prefixed(prefix: str) -> Renaming:
    return lambda name: "/".join(_with_prefix(prefix, part) for part in name.split("/"))


def _with_prefix(prefix: str, part: str) -> str:
    head = next((each for each in _heads() if part.startswith(each)), "")
    rest = part[len(head) :]
    return head + prefix + rest if rest else part


@cache
def _heads() -> tuple[str, ...]:
    """Return the fixed words with which names begin that are made of other names."""
    every = (template for method in methods().values() for template in method.bdevs)
    heads = {template.partition("{")[0] for template in every if "{" in template}
    return tuple(sorted(heads - {""}, key=len, reverse=True))


def _named_by(method: Method) -> frozenset[str]:
    """Return the parameters that hold a name of something, or a part of one."""
    templates = (*method.bdevs, method.store, method.alias)
    within = [each for template in templates for each in parameters_in(template)]
    peers = [method.peer] if method.peer else []
    new = method.required if method.kind == "rename" else ()
    others = (*method.bases, *method.existing, *method.objects)
    return frozenset([*within, *others, *peers, *new])


@cache
def _never_names() -> frozenset[str]:
    """Return the parameters that hold a name in no method: `raid_level` may well be `raid1`."""
    rows = methods().values()
    every = {parameter for method in rows for parameter in method.parameters}
    return frozenset(every.difference(*map(_named_by, rows), _SHOWN_KEYS))


def _rename_params(message: Row, renaming: Renaming, names: set[str]) -> None:
    asked = message.get("method")
    method = rows_by_name().get(asked) if isinstance(asked, str) else None
    params = message.get("params")
    if method is None or not isinstance(params, dict):
        return
    for path in sorted(_named_by(method)):
        outer, _, inner = path.partition(".")
        held = params.get(outer) if inner else params
        for holder in held if isinstance(held, list) else [held]:
            if isinstance(holder, dict) and (inner or outer) in holder:
                key = inner or outer
                holder[key] = _renamed_param(holder[key], renaming, names)


def _renamed_param(value: object, renaming: Renaming, names: set[str]) -> object:
    if isinstance(value, list):
        return [_renamed_param(each, renaming, names) for each in value]
    if not isinstance(value, str):
        return value
    names.add(value)
    return renaming(value)


def _shown_in(value: object, key: str) -> Iterator[str]:
    """Yield the strings that a result shows as names: itself, its elements, or its members."""
    if isinstance(value, str) and key in _SHOWN_KEYS:
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _shown_in(each, key)
    elif isinstance(value, dict):
        for inner, each in value.items():
            yield from _shown_in(each, inner)


def _renamed_result(result: object, renaming: Renaming, names: set[str]) -> object:
    """Rename a result, or the elements of one; of what they hold inside, what is a name."""
    if isinstance(result, str):
        return renaming(result)
    if isinstance(result, list):
        return [_renamed_result(each, renaming, names) for each in result]
    return _renamed_inside(result, "", renaming, names)


def _renamed_inside(value: object, key: str, renaming: Renaming, names: set[str]) -> object:
    if isinstance(value, dict):
        return {k: _renamed_inside(each, k, renaming, names) for k, each in value.items()}
    if isinstance(value, list):
        return [_renamed_inside(each, key, renaming, names) for each in value]
    if not isinstance(value, str) or key in _never_names():
        return value
    return renaming(value) if key in _SHOWN_KEYS or value in names else value


# -- the log ---------------------------------------------------------------------------------------


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple(
        (
            re.compile(
                rf":{re.escape(row.function) or '[^ :]+'}: \*{row.level}\*: {re.escape(row.start)}"
            ),
            re.compile(row.rest),
        )
        for row in FACT_ROWS
        if row.rest
    )


def _renamed_log(log: bytes | None, renaming: Renaming) -> bytes | None:
    if log is None:
        return None
    return joined(
        [b"".join(_renamed_part(part, renaming) for part in _parts(line)) for line in lines_of(log)]
    )


def _parts(line: bytes) -> list[bytes]:
    """Return the records that stand in one line: a message may have lost its newline."""
    starts = [match.start() for match in STAMP.finditer(line) if match.start()]
    return [line[a:b] for a, b in zip([0, *starts], [*starts, len(line)], strict=True)]


def _renamed_part(part: bytes, renaming: Renaming) -> bytes:
    try:
        text = part.decode()
    except UnicodeDecodeError:
        return part  # nothing is learned from it
    for words, rest in _patterns():
        found = words.search(text)
        named = rest.fullmatch(text.rstrip("\r"), found.end()) if found else None
        if named is not None:
            text = text[: named.start(1)] + renaming(named[1]) + text[named.end(1) :]
            return text.encode()
    return part
