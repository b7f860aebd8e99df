"""Rules: what SPDK promises, by name, with what to say when one is broken.

The names are the same in code, output, corpus and documents. Sources: LIFECYCLE 9.6.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise. `expected` completes "a conforming target would have ..."."""

    name: str
    says: str
    expected: str
    advice: str
    source: str


RULES: dict[str, Rule] = {
    each.name: each
    for each in (
        Rule(
            "create-after-register",
            "A create is answered with success only when its bdev is registered (unless a base "
            "was missing, and the create deferred).",
            "answered the create only after it had registered the bdev",
            "Until the target is fixed, poll `bdev_get_bdevs` with a `timeout` for the new bdev "
            "after the create; `bdev_wait_for_examine` does not wait for a create.",
            "I1, LIFECYCLE 1.2, 4; SPDK issue 3413, fixed by 5558f3f502",
        ),
        Rule(
            "wait-covers-examine",
            "bdev_wait_for_examine is answered only when no raid is being assembled from bases "
            "that were all registered before it was asked.",
            "answered the wait only after it had registered the raid that examination was "
            "assembling",
            "Do not rely on `bdev_wait_for_examine` here: poll `bdev_get_bdevs` with a `timeout` "
            "for the raid.",
            "I3, LIFECYCLE 1.4, 3.8; partly fixed by a5cd4a6dd7",
        ),
        Rule(
            "lookup-consistency",
            "A look-up finds a bdev exactly when it is registered at some instant between the "
            "request and the reply.",
            "found exactly the bdevs that were registered",
            "Report it with this trace: a client cannot work around a wrong look-up.",
            "I12, LIFECYCLE 1.5",
        ),
        Rule(
            "delete-after-unregister",
            "A delete is answered with success only when the bdev is unregistered and its name "
            "is free.",
            "answered the delete only after it had unregistered the bdev",
            "Poll `bdev_get_bdevs` until the name is gone before you use it again.",
            "I4, LIFECYCLE 1.7, 4.2",
        ),
        Rule(
            "one-reply",
            "A request gets at most one reply, on its own connection, with its id.",
            "sent one reply for each request, and none without a request",
            "Match replies by connection and id, and close the connection when one does not fit.",
            "I9, LIFECYCLE 2.4",
        ),
    )
}
"""All rules by name, in order of report."""
