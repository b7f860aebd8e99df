"""How a stored record names its base: by the bdev's name, or by an alias of it.

Source: LIFECYCLE 4.4. A create opens the base by whatever it was given, so both work while the base
is there. Examination compares the record with the new bdev's name alone (vbdev_passthru_examine,
module/bdev/passthru/vbdev_passthru.c of SPDK v26.05), so a record by alias is never found then.
"""

from bdevcheck.model.machine import declare

_GIVEN = ("by_name", "by_alias")

REFERENCE = declare(
    "reference",
    ["none", *_GIVEN],
    [
        ("refer_by_name", "none", "by_name"),
        ("refer_by_alias", "none", "by_alias"),
        ("forget", _GIVEN, "none"),
        ("matches", "by_name", "="),
        ("matches_not", "by_alias", "="),
    ],
    about="how a stored record names its base",
)
