"""Gather what a form cannot hold."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What was left out or changed, in the order in which it first came up.

    The number says how often; 0: that is not the question.
    """

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, count: int = 1) -> None:
        """Count something; nothing is remembered of a count of 0."""
        if count:
            self.counts[what] = self.counts.get(what, 0) + count

    def say(self, what: str) -> None:
        """Remember something that has no number."""
        self.counts.setdefault(what, 0)

    def notes(self) -> tuple[str, ...]:
        """Return a sentence for each.

        >>> tally = Tally()
        >>> tally.add("remarks are not written", 2)
        >>> tally.say("results are not written")
        >>> tally.notes()
        ('remarks are not written: 2', 'results are not written')
        """
        return tuple(f"{what}: {n}" if n else what for what, n in self.counts.items())
