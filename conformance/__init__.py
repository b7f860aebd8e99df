"""Conformance: is a recorded trace what the life cycles allow?

* `check` judges a trace and returns a `Report`; `check_files` reads it as it goes; `verdict` holds
  what a report consists of.
* `checker` takes a trace record by record: `call` pairs requests with replies, `docket` brings them
  before the stacks that they are about, `watching` before the watches.
* `stack` is one bdev with what it is built on; `queues` holds its records back until outcomes are
  known, `translate` puts them into the stack's own terms, `stacks` has all that are alive.
* `situation` remembers where a record leads; `judge` finds out, with a `population` and its
  `belief`: every state that the target could be in, stepped by the model's contracts (`moves`).
* `ledger` brings what is settled to the `books`; `explain` puts into words what was found,
  `closing` makes the report; `text`, `document` and `report` write it.
"""

from bdevcheck.conformance.check import check, check_files
from bdevcheck.conformance.verdict import (
    Doubt,
    Moment,
    Report,
    Tally,
    Unexplained,
    Verdict,
    Violation,
)

__all__ = [
    "Doubt",
    "Moment",
    "Report",
    "Tally",
    "Unexplained",
    "Verdict",
    "Violation",
    "check",
    "check_files",
]
