"""Rules of creates: what a reply to one says."""

from __future__ import annotations

from bdevcheck.model.rule.form import Rule

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

DEFERRED_FIRES = Rule(
    name="deferred-fires",
    says="A deferred create leaves a record, and when its base appears the bdev is registered.",
    open_ended=True,
    source="I1d and L3, LIFECYCLE 4.4",
    known="records that name a base by an alias never fire, in all versions",
)

RESULT_NAMES_REGISTERED = Rule(
    name="result-names-registered",
    says="The names in the result of a create are those of the bdevs that it registered.",
    headline="{method} {fault}.",
    between="{proof}",
    stretch=("another", "name"),
    expected="named the bdevs that it registered",
    advice="Look the bdev up by the name that you asked for, and report it with this trace.",
    source="I1e, LIFECYCLE 4.2",
    known="bdev_nvme_attach_controller leaves out namespaces whose registration failed",
)

ERROR_WITHOUT_EFFECT = Rule(
    name="error-without-effect",
    says="A create that is answered with an error registers nothing later.",
    headline="{method} was answered with an error, and {bdev} was registered by it all the same.",
    between="The error says that the record of {bdev} was stored, so that no other create of this "
    "name could succeed in between; the log misses no line.",
    stretch=("refused,", "but", "registered"),
    expected="removed the record of the refused create",
    advice="Delete the bdev once it is there: that ends its record. Until then, do not register a "
    "bdev of the base's name.",
    source="I2, LIFECYCLE 4.4",
    known="ghosts of passthru and delay, nvme attach beyond max_bdevs, in all versions; a refused "
    "raid that returns from its superblocks, up to v25.05",
)
