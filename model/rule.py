"""Rules: what SPDK promises, by name, with what to say when one is broken.

The names are the same in code, output, corpus and documents. Sources: LIFECYCLE 9.6.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise.

    `headline` and `between` say what happened and what must have been the case meanwhile, with
    `{method}`, `{bdev}`, `{ahead}` (how long the reply came too early, or nothing) and `{doing}`
    (what the bdev was at, or nothing) filled in. `stretch` says it in a few words, for a picture.
    `effect` is the event of the name machine that the reply should have waited for, or empty.
    `expected` completes "A conforming target would have ...".
    """

    name: str
    says: str
    headline: str
    between: str
    stretch: tuple[str, ...]
    effect: str
    expected: str
    advice: str
    source: str


CREATE_AFTER_REGISTER = Rule(
    name="create-after-register",
    says="A create is answered with success only when its bdev is registered (unless a base was "
    "missing, and the create deferred).",
    headline="{method} answered success{ahead} before {bdev} was registered.",
    between="When the reply was seen, {bdev} was not registered{doing}.",
    stretch=("answered,", "but not", "registered"),
    effect="take",
    expected="answered the create only after it had registered the bdev",
    advice="Until the target is fixed, poll `bdev_get_bdevs` with a `timeout` for the new bdev "
    "after the create; `bdev_wait_for_examine` does not wait for a create.",
    source="I1, LIFECYCLE 1.2, 4; SPDK issue 3413, fixed by 5558f3f502",
)

WAIT_COVERS_EXAMINE = Rule(
    name="wait-covers-examine",
    says="bdev_wait_for_examine is answered only when no raid is being assembled from bases that "
    "were all registered before it was asked.",
    headline="{method} answered{ahead} before {bdev} was registered, although examination was "
    "assembling it.",
    between="All bases of {bdev} were registered before the wait was asked, so that its assembly "
    "by examination was under way from the request to the reply.",
    stretch=("answered,", "but still", "examining"),
    effect="take",
    expected="answered the wait only after it had registered the raid that examination was "
    "assembling",
    advice="Do not rely on `bdev_wait_for_examine` here: poll `bdev_get_bdevs` with a `timeout` "
    "for the raid.",
    source="I3, LIFECYCLE 1.4, 3.8; partly fixed by a5cd4a6dd7",
)

LOOKUP_CONSISTENCY = Rule(
    name="lookup-consistency",
    says="A look-up finds a bdev exactly when it is registered at some instant between the request "
    "and the reply.",
    headline="{method} gave an answer that was true at no time while it was asked.",
    between="No order of events makes the answer true.",
    stretch=("contradicted",),
    effect="",
    expected="found exactly the bdevs that were registered",
    advice="Report it with this trace: a client cannot work around a wrong look-up.",
    source="I12, LIFECYCLE 1.5",
)

DELETE_AFTER_UNREGISTER = Rule(
    name="delete-after-unregister",
    says="A delete is answered with success only when the bdev is unregistered and its name is "
    "free.",
    headline="{method} answered success{ahead} before {bdev} was unregistered.",
    between="When the reply was seen, the name {bdev} was still taken.",
    stretch=("answered,", "but still", "registered"),
    effect="release",
    expected="answered the delete only after it had unregistered the bdev",
    advice="Poll `bdev_get_bdevs` until the name is gone before you use it again.",
    source="I4, LIFECYCLE 1.7, 4.2",
)

ONE_REPLY = Rule(
    name="one-reply",
    says="A request gets at most one reply, on its own connection, with its id.",
    headline="The target sent {answered}.",
    between="No request with this id was open on this connection.",
    stretch=("contradicted",),
    effect="",
    expected="sent one reply for each request, and none without a request",
    advice="Match replies by connection and id, and close the connection when one does not fit.",
    source="I9, LIFECYCLE 2.4",
)

RULES: dict[str, Rule] = {
    each.name: each
    for each in (
        CREATE_AFTER_REGISTER,
        WAIT_COVERS_EXAMINE,
        LOOKUP_CONSISTENCY,
        DELETE_AFTER_UNREGISTER,
        ONE_REPLY,
    )
}
"""All rules by name, in order of report."""
