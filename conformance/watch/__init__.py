"""Watches: rules judged by what the trace itself shows, record by record.

The belief (`conformance.belief`) is for rules whose verdict hangs on steps that nobody sees. What a
*watch* judges is decided by records alone: two lists that contradict each other, a reply that the
framework's state forbids, a notification out of order. A watch follows its rules along the trace,
keeps only what is alive, and says what became of each obligation as soon as that is certain.

* `event` has what a watch is told, `outcome` what it says;
* `setting` is what it may ask about the trace as a whole: which of two records came first, and
  when a missing log line proves something;
* `run` puts watches over a whole trace;
* every other module is one watch, and `WATCHES` has them all.
"""

from __future__ import annotations

from bdevcheck.conformance.watch.base import Watch, Watcher

__all__ = ["WATCHES", "Watch", "Watcher"]

WATCHES: tuple[Watcher, ...] = ()
"""All watches, in order of report."""
