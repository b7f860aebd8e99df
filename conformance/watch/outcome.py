"""What a watch says: one outcome for each obligation that the trace put to the test."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from bdevcheck.conformance.verdict import Doubt, Violation


class Kept(NamedTuple):
    """The rule was put to the test, and kept."""

    rule: str


class Exempt(NamedTuple):
    """A known exception of the rule covers it."""

    rule: str


Outcome: TypeAlias = Kept | Exempt | Violation | Doubt
"""A Violation or a Doubt names its rule itself."""
