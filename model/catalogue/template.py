"""Templates: names made of a call's parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    texts = [""]
    position = 0
    for match in _FIELD.finditer(template):
        values = _values(match[1], match[2], params)
        texts = [text + template[position : match.start()] + v for text in texts for v in values]
        position = match.end()
    return tuple(text + template[position:] for text in texts)


def _values(names: str, mark: str, params: object) -> Sequence[str]:
    value = next((v for n in names.split("|") if (v := value_of(params, n)) is not None), None)
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
