"""Names that other languages accept: made of letters, digits and underscores, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 60


def identifiers(
    names: Iterable[str], *, prefix: str = "", taken: Iterable[str] = ()
) -> dict[str, str]:
    """Return an identifier for each name, unique among them and beside `taken`.

    They begin with `prefix`, which is how they keep clear of a language's own words. Deterministic:
    of names that differ only in what is left out, later ones get a number.

    >>> identifiers(["raid1.name", "raid1 name", "größe"], prefix="at_")
    {'raid1.name': 'at_raid1_name', 'raid1 name': 'at_raid1_name_2', 'größe': 'at_gr_e'}
    """
    used = set(taken)
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:_LONGEST]
        found[name] = _unused(prefix + (plain or "x"), used)
        used.add(found[name])
    return found


def in_comment(text: str) -> str:
    r"""Return `text` on one line of ASCII without the marks that end a comment.

    >>> print(in_comment("a */ b\nc → d"))
    a * / b c \u2192 d
    """
    line = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    return line.replace("*/", "* /").replace("/*", "/ *").replace("(*", "( *").replace("*)", "* )")


def _unused(wanted: str, used: set[str]) -> str:
    candidate, number = wanted, 1
    while candidate in used:
        number += 1
        candidate = f"{wanted}_{number}"
    return candidate
