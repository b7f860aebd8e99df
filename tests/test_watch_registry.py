"""Which bdevs are registered, as the lines of a log tell."""

from __future__ import annotations

from bdevcheck.conformance.watch.registry import Registry
from tests.builder import Script, log_of


def registry_of(script: Script) -> Registry:
    registry = Registry()
    for line in log_of(script.trace()).lines:
        registry.printed(line)
    return registry


def test_bdev_stands_until_it_begins_to_leave_and_has_its_name_until_it_is_unlisted() -> None:
    begun = registry_of(Script().inserting(0, "m").removing(1, "m"))
    assert (list(begun.lines), list(begun.leaving), begun.stands("m")) == (["m"], ["m"], False)
    gone = registry_of(Script().inserting(0, "m").removing(1, "m").removed(2, "m"))
    assert (gone.lines, gone.leaving) == ({}, {})


def test_bdev_that_is_registered_again_stands() -> None:
    assert registry_of(Script().inserting(0, "m").removing(1, "m").inserting(2, "m")).stands("m")


def test_first_line_of_leaving_counts() -> None:
    registry = registry_of(Script().inserting(0, "m").removing(1, "m").removing(2, "m"))
    assert registry.leaving["m"].at.place.line == 3


def test_what_was_not_registered_does_not_leave() -> None:
    registry = registry_of(Script().removing(0, "m").removed(1, "n"))
    assert (registry.lines, registry.leaving) == ({}, {})


def test_other_lines_of_a_bdev_change_nothing() -> None:
    text = "bdev.c: 1:bdev_open_ext: *NOTICE*: Currently unable to find bdev with name: m"
    assert registry_of(Script().inserting(0, "m").line(1, text).tick(2)).stands("m")


def test_forgotten_bdevs_are_not_registered() -> None:
    registry = registry_of(Script().inserting(0, "m"))
    registry.forget()
    assert not registry.stands("m")
