"""Watches: rules judged by what the trace itself shows, record by record.

The belief (`conformance.belief`) is for rules whose verdict hangs on steps that nobody sees. What a
*watch* judges is decided by records alone: two lists that contradict each other, a reply that the
framework's state forbids, a notification out of order. A watch follows its rules along the trace,
keeps only what is alive, and says what became of each obligation as soon as that is certain.

* `event` has what a watch is told, `outcome` what it says;
* `setting` is what it may ask about the trace as a whole: which of two records came first, and
  when a missing log line proves something;
* `dispatch` says who takes which event, `presence` what follows from connections' coming and
  going; `run` puts watches over a whole trace;
* `dump`, `sound` and `tape` read quickly what needs no patience;
* `course`, `fault`, `gate`, `holding`, `life`, `listing`, `lull`, `origin`, `poll`, `raid`,
  `raid_log`, `registry`, `release`, `ring`, `session`, `standing`, `suspicion` and `volume` are
  what watches have in common;
* every other module is one watch, and `WATCHES` has them all.
"""

from __future__ import annotations

from bdevcheck.conformance.watch.answered import EveryAnswer
from bdevcheck.conformance.watch.base import Watch, Watcher
from bdevcheck.conformance.watch.cascade import RemovalCascade
from bdevcheck.conformance.watch.claim import ClaimExclusion
from bdevcheck.conformance.watch.deferral import DeferredFires
from bdevcheck.conformance.watch.error_effect import ErrorWithoutEffect
from bdevcheck.conformance.watch.lvol_identity import LvolIdentity
from bdevcheck.conformance.watch.malformed import MalformedRequests
from bdevcheck.conformance.watch.notification import NotificationOrder
from bdevcheck.conformance.watch.notified import Notified
from bdevcheck.conformance.watch.raid_consistency import RaidConsistency
from bdevcheck.conformance.watch.rebuild import RebuildFinishes
from bdevcheck.conformance.watch.renaming import Rename
from bdevcheck.conformance.watch.result_name import ResultNames
from bdevcheck.conformance.watch.resurrection import NoResurrection
from bdevcheck.conformance.watch.slots import SlotsReclaimed
from bdevcheck.conformance.watch.state_gating import StateGating
from bdevcheck.conformance.watch.unique_name import UniqueNames
from bdevcheck.conformance.watch.unregister import UnregisterFinishes

__all__ = ["WATCHES", "Watch", "Watcher"]

WATCHES: tuple[Watcher, ...] = (
    NotificationOrder,
    Notified,
    UniqueNames,
    ClaimExclusion,
    StateGating,
    MalformedRequests,
    EveryAnswer,
    SlotsReclaimed,
    DeferredFires,
    ResultNames,
    ErrorWithoutEffect,
    RemovalCascade,
    NoResurrection,
    UnregisterFinishes,
    RaidConsistency,
    LvolIdentity,
    Rename,
    RebuildFinishes,
)
"""All watches, in order of report."""
