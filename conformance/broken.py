"""Violations in words: a rule's own sentences, filled in with what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bdevcheck.conformance.moment import printable
from bdevcheck.conformance.verdict import Moment, Violation
from bdevcheck.model.rule import Rule


def broken(
    rule: Rule,
    moments: Iterable[Moment],
    *,
    bdev: str = "",
    method: str = "",
    states: Mapping[str, str] | None = None,
    known_in: tuple[str, ...] = (),
    **words: str,
) -> Violation:
    """Return a violation of `rule`; `words` fill the places of its headline and its `between`.

    The key moments are the witness: the records that contradict each other, without which nothing
    would be proven. Raises KeyError for a place that no word fills.
    """
    filled = {"bdev": printable(bdev), "method": method, **words}
    return Violation(
        rule=rule.name,
        bdev=bdev,
        method=method,
        headline=rule.headline.format_map(filled),
        moments=tuple(moments),
        between=rule.between.format_map(filled),
        states=dict(states or {}),
        expected=f"A conforming target would have {rule.expected}.",
        advice=rule.advice,
        known_in=known_in,
    )
