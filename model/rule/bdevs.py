"""Rules of bdevs: names, claims, examination, notifications, and the way out."""

from __future__ import annotations

from bdevcheck.model.rule.form import Rule

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

NOTIFICATION_ORDER = Rule(
    name="notification-order",
    says="Each bdev is notified once as registered, after it is, and at most once as unregistered, "
    "after that.",
    headline="Notifications do not tell what happened: {fault}.",
    between="{proof}",
    stretch=("told out", "of order"),
    expected="told each beginning and each end of a bdev once, in order, and after it happened",
    advice="Do not rely on notifications here: compare with `bdev_get_bdevs`.",
    source="I5, LIFECYCLE 1.2, 7.1",
    known="registration that runs out of memory notifies the end without the beginning",
)

UNIQUE_NAMES = Rule(
    name="unique-names",
    says="A name, alias or uuid belongs to one bdev at a time, and a create that succeeds had a "
    "free name.",
    headline="One name had two bdevs: {fault}.",
    between="{proof}",
    stretch=("two bdevs", "of one", "name"),
    expected="refused the second bdev with -17 (File exists)",
    advice="Do not go on by this name: look both bdevs up by uuid, delete one, and report it with "
    "this trace.",
    source="I6, LIFECYCLE 1.2",
)

CLAIM_EXCLUSION = Rule(
    name="claim-exclusion",
    says="A bdev that is claimed for one writer has no other claim, and nobody opens it for "
    "writing meanwhile.",
    headline="A claim was not exclusive: {fault}.",
    between="{proof}",
    stretch=("claimed", "twice"),
    expected="refused the second claim with -1 (Operation not permitted)",
    advice="Stop writing to the base: two holders overwrite each other. Report it with this trace.",
    source="I7, LIFECYCLE 1.6",
)

REMOVAL_CASCADE = Rule(
    name="removal-cascade",
    says="A base is unlisted only when every bdev that claims it is gone.",
    headline="{bdev} was unlisted before {holder}, which stood on it.",
    between="The log misses no line in between, and none says that {holder} was gone.",
    stretch=("gone before", "its holder"),
    expected="unlisted the base only after the bdev that stood on it",
    advice="Delete bdevs from the top down; do not use what stood on the base any more.",
    source="I13, LIFECYCLE 1.7, 5.5",
)

NO_RESURRECTION = Rule(
    name="no-resurrection",
    says="A deleted bdev returns only by a create, a deferred record, metadata on its bases, or "
    "hot-plug.",
    open_ended=True,
    source="I15, LIFECYCLE 3.10, 4.4",
)
