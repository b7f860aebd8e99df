"""Rules of endings: what must come in the end (LIFECYCLE 9.7)."""

from __future__ import annotations

from bdevcheck.model.rule.form import Rule

ANSWERED = Rule(
    name="answered",
    says="Every request on a connection that lives is answered in the end.",
    open_ended=True,
    source="L1, LIFECYCLE 2.4, 9.7",
    known="holders that ignore a removal, discovery with an empty log page, a raid whose base goes "
    "during the superblock write, in all versions; half-closed connections in v26.05",
)

NOTIFIED = Rule(
    name="notified",
    says="The registration of a bdev is notified in the end.",
    headline="{bdev} was registered and unregistered, and was never notified as registered.",
    between="Every notification that was sent meanwhile is known, and none is of {bdev}'s "
    "beginning.",
    stretch=("never", "notified"),
    expected="notified the bdev as registered before it ended",
    advice="Do not wait for the notification alone: compare with `bdev_get_bdevs`.",
    source="L2 and L5, LIFECYCLE 1.2",
    known="put off for ever while new bdevs keep coming",
)

UNREGISTER_FINISHES = Rule(
    name="unregister-finishes",
    says="A bdev that is being unregistered is gone in the end, if its holders react.",
    open_ended=True,
    source="L4, LIFECYCLE 1.7",
    known="bdevs with locked ranges up to v25.05",
)

SLOTS_RECLAIMED = Rule(
    name="slots-reclaimed",
    says="The slot of a closed connection can be used again.",
    open_ended=True,
    source="L7, LIFECYCLE 2.7",
    known="connections reset with requests pending, in all versions",
)

REBUILD_FINISHES = Rule(
    name="rebuild-finishes",
    says="A rebuild that started finishes or is cancelled.",
    open_ended=True,
    source="L8, LIFECYCLE 3.9",
)
