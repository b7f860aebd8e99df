"""The manifest is what exploration finds today, and the page shows it."""

from pathlib import Path

import msgspec
import pytest

from bdevcheck.model.manifest import PAGE, RECORD, Entry, entry_of, known, page_of
from bdevcheck.model.rule import RULES
from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS
from bdevcheck.model.variant import VARIANTS

ROOT = Path(__file__).resolve().parent.parent
BUILDERS = {**SYSTEMS, **LARGE_SYSTEMS}


def without_seconds(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, seconds=0.0)


ENTRIES = [
    pytest.param(
        system,
        variant,
        marks=pytest.mark.slow if system in LARGE_SYSTEMS else (),
        id=f"{system}-{variant}",
    )
    for system, variants in known().items()
    for variant in variants
]


@pytest.mark.parametrize(("system", "variant"), ENTRIES)
def test_entry_is_what_is_found_today(system: str, variant: str) -> None:
    found = entry_of(BUILDERS[system](VARIANTS[variant]))
    assert without_seconds(found) == without_seconds(known()[system][variant])


def test_every_system_has_an_entry_in_every_variant() -> None:
    assert list(known()) == list(BUILDERS)
    assert all(list(variants) == list(VARIANTS) for variants in known().values())


def test_the_page_shows_the_record() -> None:
    page = "\n".join(page_of(known())).rstrip() + "\n"
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page
    assert (ROOT / RECORD).read_bytes().startswith(b"{")


def broken(rule: str) -> dict[str, set[str]]:
    """Return where a rule is broken: system -> variants."""
    found: dict[str, set[str]] = {}
    for system, variants in known().items():
        for variant, entry in variants.items():
            if any(v.rule == rule and v.holds is False for v in entry.properties.values()):
                found.setdefault(system, set()).add(variant)
    return found


def kept(rule: str) -> bool:
    return any(
        verdict.rule == rule and verdict.holds
        for variants in known().values()
        for entry in variants.values()
        for verdict in entry.properties.values()
    )


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_claimed_and_holds_somewhere(rule: str) -> None:
    assert kept(rule)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rule_is_broken_somewhere_exactly_if_it_is_known_to_be(rule: object) -> None:
    name, where = rule.name, rule.known  # type: ignore[attr-defined]  # each is a Rule
    assert bool(broken(name)) == bool(where)


ALL = set(VARIANTS)


@pytest.mark.parametrize(
    ("rule", "system", "variants"),
    [
        # LIFECYCLE 9.6 and 9.7, columns of known violations, by 9.5.
        ("create-after-register", "issue-3413", {"buggy"}),
        ("create-after-register", "raid-failures-plain", {"buggy"}),
        ("create-after-register", "compress", {"buggy", "fix-commit"}),
        ("deferred-fires", "deferred", ALL),
        ("result-names-registered", "discovery", ALL),
        ("error-without-effect", "deferred", ALL),
        ("error-without-effect", "discovery", ALL),
        ("wait-covers-examine", "config-load", {"buggy", "fix-commit"}),
        ("wait-covers-examine", "config-load-deferred", ALL),
        ("delete-after-unregister", "early-deletes", ALL),
        ("notification-order", "notifications-out-of-memory", ALL),
        ("raid-consistency", "raid-failures", {"buggy"}),
        ("one-reply", "pipelining", ALL - {"modern"}),
        ("lvol-identity", "lvol-changes", ALL),
        ("answered", "discovery", ALL),
        ("answered", "delete-races", ALL),
        ("answered", "raid-failures", ALL),
        ("answered", "startup-gating", ALL),
        ("answered", "connections", {"modern"}),
        ("notified", "notifications", ALL),
        ("unregister-finishes", "locked-ranges", ALL - {"modern"}),
        ("slots-reclaimed", "connections", ALL),
    ],
)
def test_known_violation_is_found_where_it_is_and_nowhere_else(
    rule: str, system: str, variants: set[str]
) -> None:
    assert broken(rule)[system] == variants
