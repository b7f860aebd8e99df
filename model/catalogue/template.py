"""Templates: names made of a call's parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

_FIELD = re.compile(r"\{([a-z0-9_|]+)([#^]?)\}")
MAX_NAMES = 1024
"""Bound on the names that one counting template makes (a hostile `split_count` is cut there)."""


def parameters_in(template: str) -> tuple[str, ...]:
    """Return the parameters that a template uses, in order.

    >>> parameters_in("{base_bdev}p{split_count#}"), parameters_in("{lvs_name|uuid}")
    (('base_bdev', 'split_count'), ('lvs_name', 'uuid'))
    """
    return tuple(name for match in _FIELD.finditer(template) for name in match[1].split("|"))


def is_well_formed(template: str) -> bool:
    """Tell whether every brace of a template belongs to a field."""
    return not set(_FIELD.sub("", template)) & set("{}")


def fill(template: str, params: object) -> tuple[str, ...]:
    """Return the names that `template` makes of `params`; none where a parameter is missing."""
    fields, tail = _parsed(template)
    if len(fields) == 1:
        text, names, mark = fields[0]
        return tuple(text + value + tail for value in _values(names, mark, params))
    texts = [""]
    for before, names, mark in fields:
        values = _values(names, mark, params)
        texts = [text + before + value for text in texts for value in values]
    return tuple(text + tail for text in texts)


_Field = tuple[str, tuple[str, ...], str]
"""The text before a field, the parameters that it may take, and its mark."""


@cache
def _parsed(template: str) -> tuple[tuple[_Field, ...], str]:
    """Return the fields of a template of the catalogue, and the text after the last."""
    fields: list[_Field] = []
    position = 0
    for match in _FIELD.finditer(template):
        fields.append((template[position : match.start()], tuple(match[1].split("|")), match[2]))
        position = match.end()
    return tuple(fields), template[position:]


def _values(names: Sequence[str], mark: str, params: object) -> Sequence[str]:
    value = next((v for n in names if (v := value_of(params, n)) is not None), None)
    if mark == "#":
        count = value if isinstance(value, int) and not isinstance(value, bool) else 0
        return [str(number) for number in range(min(count, MAX_NAMES))]
    if not isinstance(value, str):
        return []
    if mark == "^":
        return [value.split("/", 1)[0]] if "/" in value else []
    return [value]


def value_of(value: object, member: str) -> object:
    """Return a member of what may be a JSON object, or None."""
    return value.get(member) if isinstance(value, dict) else None
