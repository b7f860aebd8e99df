"""Rules: what SPDK promises, by name, with what to say when one is broken.

The names are the same in code, output, corpus and documents. Sources: LIFECYCLE 9.6 (safety) and
9.7 (endings).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise.

    `known` says where SPDK is known to break it, in words for people. The rest is for a checker's
    explanations and is empty for a rule that traces are not judged by yet: `headline` and `between`
    say what happened and what must have been the case meanwhile, with `{method}`, `{bdev}`,
    `{ahead}` (how long the reply came too early, or nothing) and `{doing}` (what the bdev was at,
    or nothing) filled in. `stretch` says it in a few words, for a picture. `effect` is the event of
    the name machine that the reply should have waited for, or empty. `expected` completes "A
    conforming target would have ...".
    """

    name: str
    says: str
    source: str
    known: str = ""
    headline: str = ""
    between: str = ""
    stretch: tuple[str, ...] = ()
    effect: str = ""
    expected: str = ""
    advice: str = ""


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
    known="raid with superblock, or whose registration fails, up to v24.05; compress up to "
    "5558f3f502",
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
    known="assembly from superblocks up to 5558f3f502; a deferred raid with superblock, and "
    "volumes attached when their external snapshot comes, in all versions",
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
    known="bdev_split_delete and bdev_opal_delete in all versions",
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
    source="I9, LIFECYCLE 2.4, 2.5",
    known="half a reply to a request without an id, up to v25.05",
)

DEFERRED_FIRES = Rule(
    name="deferred-fires",
    says="A deferred create leaves a record, and when its base appears the bdev is registered.",
    source="I1d and L3, LIFECYCLE 4.4",
    known="records that name a base by an alias never fire, in all versions",
)
RESULT_NAMES_REGISTERED = Rule(
    name="result-names-registered",
    says="The names in the result of a create are those of the bdevs that it registered.",
    source="I1e, LIFECYCLE 4.2",
    known="bdev_nvme_attach_controller leaves out namespaces whose registration failed",
)
ERROR_WITHOUT_EFFECT = Rule(
    name="error-without-effect",
    says="A create that is answered with an error registers nothing later.",
    source="I2, LIFECYCLE 4.4",
    known="ghosts of passthru and delay, nvme attach beyond max_bdevs, in all versions; a refused "
    "raid that returns from its superblocks, up to v25.05",
)
NOTIFICATION_ORDER = Rule(
    name="notification-order",
    says="Each bdev is notified once as registered, after it is, and at most once as unregistered, "
    "after that.",
    source="I5, LIFECYCLE 1.2, 7.1",
    known="registration that runs out of memory notifies the end without the beginning",
)
UNIQUE_NAMES = Rule(
    name="unique-names",
    says="A name, alias or uuid belongs to one bdev at a time, and a create that succeeds had a "
    "free name.",
    source="I6, LIFECYCLE 1.2",
)
CLAIM_EXCLUSION = Rule(
    name="claim-exclusion",
    says="A bdev that is claimed for one writer has no other claim, and nobody opens it for "
    "writing meanwhile.",
    source="I7, LIFECYCLE 1.6",
)
RAID_CONSISTENCY = Rule(
    name="raid-consistency",
    says="A raid is online exactly while it is listed, its superblock was written before, and one "
    "with all its members does not stay unregistered.",
    source="I7b, I8 and L6, LIFECYCLE 3.1",
    known="raids stuck after a failed superblock write or registration, up to v24.05",
)
STATE_GATING = Rule(
    name="state-gating",
    says="A method is carried out only in the framework states that it is made for.",
    source="I10, LIFECYCLE 2.8",
)
MALFORMED_REQUEST = Rule(
    name="malformed-request",
    says="A malformed request is answered with the error that its fault calls for, and has no "
    "effect.",
    source="I11, LIFECYCLE 2.3",
)
REMOVAL_CASCADE = Rule(
    name="removal-cascade",
    says="A base is unlisted only when every bdev that claims it is gone.",
    source="I13, LIFECYCLE 1.7, 5.5",
)
LVOL_IDENTITY = Rule(
    name="lvol-identity",
    says="A created volume is registered under its uuid and alias (unless degraded), and what it "
    "says of itself is what it is.",
    source="I14, LIFECYCLE 5.2, 5.4",
    known="shrinking an open volume changes the blob and not the bdev, in all versions",
)
NO_RESURRECTION = Rule(
    name="no-resurrection",
    says="A deleted bdev returns only by a create, a deferred record, metadata on its bases, or "
    "hot-plug.",
    source="I15, LIFECYCLE 3.10, 4.4",
)
RENAME = Rule(
    name="rename",
    says="After a rename the old name is unknown and the new one is found, with the same uuid.",
    source="I16, LIFECYCLE 5.2",
)
ANSWERED = Rule(
    name="answered",
    says="Every request on a connection that lives is answered in the end.",
    source="L1, LIFECYCLE 2.4, 9.7",
    known="holders that ignore a removal, discovery with an empty log page, a raid whose base goes "
    "during the superblock write, in all versions; half-closed connections in v26.05",
)
NOTIFIED = Rule(
    name="notified",
    says="The registration of a bdev is notified in the end.",
    source="L2 and L5, LIFECYCLE 1.2",
    known="put off for ever while new bdevs keep coming",
)
UNREGISTER_FINISHES = Rule(
    name="unregister-finishes",
    says="A bdev that is being unregistered is gone in the end, if its holders react.",
    source="L4, LIFECYCLE 1.7",
    known="bdevs with locked ranges up to v25.05",
)
SLOTS_RECLAIMED = Rule(
    name="slots-reclaimed",
    says="The slot of a closed connection can be used again.",
    source="L7, LIFECYCLE 2.7",
    known="connections reset with requests pending, in all versions",
)
REBUILD_FINISHES = Rule(
    name="rebuild-finishes",
    says="A rebuild that started finishes or is cancelled.",
    source="L8, LIFECYCLE 3.9",
)

RULES: dict[str, Rule] = {
    each.name: each
    for each in (
        CREATE_AFTER_REGISTER,
        DEFERRED_FIRES,
        RESULT_NAMES_REGISTERED,
        ERROR_WITHOUT_EFFECT,
        WAIT_COVERS_EXAMINE,
        LOOKUP_CONSISTENCY,
        DELETE_AFTER_UNREGISTER,
        NOTIFICATION_ORDER,
        UNIQUE_NAMES,
        CLAIM_EXCLUSION,
        RAID_CONSISTENCY,
        ONE_REPLY,
        STATE_GATING,
        MALFORMED_REQUEST,
        REMOVAL_CASCADE,
        LVOL_IDENTITY,
        NO_RESURRECTION,
        RENAME,
        ANSWERED,
        NOTIFIED,
        UNREGISTER_FINISHES,
        SLOTS_RECLAIMED,
        REBUILD_FINISHES,
    )
}
"""All rules by name, in order of report."""

JUDGED: dict[str, Rule] = {name: each for name, each in RULES.items() if each.headline}
"""The rules that traces are judged by."""
