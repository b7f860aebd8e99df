"""Conformance: is a recorded trace what the life cycles allow?

* `check` judges a trace and returns a `Report`; `verdict` holds what a report consists of.
* `call` pairs requests with replies, `stack` finds what belongs together, `coverage` says when a
  missing log line proves something, `schedule` orders all records about a stack.
* `belief` keeps every state that the target could be in, `moves` binds the model's contracts to it,
  `judge` runs it along the trace.
* `explain` puts into words what was found; `text` and `document` write reports.
"""

from bdevcheck.conformance.check import check
from bdevcheck.conformance.verdict import (
    Doubt,
    Moment,
    Report,
    Tally,
    Unexplained,
    Verdict,
    Violation,
)

__all__ = ["Doubt", "Moment", "Report", "Tally", "Unexplained", "Verdict", "Violation", "check"]
