"""The systems as they are, explored once for all tests, by the graph engine.

`model/manifest.json` pins what is found; here is what tests about the meaning of paths ask for.
Systems are asked for by name, and by the name of a variant, as `variant_of` gives it.
"""

from functools import cache
from typing import NamedTuple

from bdevcheck.model.compose import System
from bdevcheck.model.explore import Exploration, explore
from bdevcheck.model.machines import LIFE_CYCLES, Machines
from bdevcheck.model.manifest import Manifest, known
from bdevcheck.model.path import Path
from bdevcheck.model.property import Property
from bdevcheck.model.systems import SYSTEMS
from bdevcheck.model.variant import VARIANTS, Variant, variant_of
from bdevcheck.model.verify import Finding, decide

GROUPS: dict[str, tuple[str, ...]] = {
    "3413": ("issue-3413", "most-general", "most-general-deferred"),
    "rpc": ("startup-gating", "connections", "pipelining", "batch", "discovery"),
    "core": (
        "claims",
        "delete-races",
        "early-deletes",
        "locked-ranges",
        "raid-deletes",
        "notifications",
        "notifications-out-of-memory",
        "names",
        "manual-examine",
    ),
    "stack": (
        "config-load",
        "config-load-deferred",
        "fail-over",
        "raid-deleted",
        "lvols",
        "lvol-snapshots",
        "lvol-changes",
        "lvol-degraded",
    ),
    "vbdev": (
        "deferred",
        "deferred-tidy",
        "deferred-split",
        "raid-failures",
        "raid-failures-plain",
        "compress",
        "members",
        "members-striped",
    ),
}
"""The systems by the test files that are about them."""

# --- systems -------------------------------------------------------------------------------------


def build(system: str, variant: str, machines: Machines = LIFE_CYCLES) -> System:
    """Build a system, with other machines where they are given."""
    return SYSTEMS[system](variant_called(variant), machines)  # type: ignore[call-arg]  # as all builders


def variant_called(name: str) -> Variant:
    """Return the variant of a name: a bundle, and parameters that are set (+) or not (-)."""
    bundle, *marks = name.split()
    return variant_of(bundle, {mark[1:]: mark[0] == "+" for mark in marks})


@cache
def built(system: str, variant: str) -> System:
    return build(system, variant)


@cache
def first_alike(system: str, variant: str) -> str:
    """Return the oldest variant in which a system is the same: it is explored once for both."""
    wanted = built(system, variant)
    alike = (each for each in VARIANTS if _is_same(built(system, each), wanted))
    return next(alike, variant)


def _is_same(one: System, two: System) -> bool:
    # The order of components is that of a state's numbers; two mappings are equal in any order.
    return one == two and list(one.components) == list(two.components)


def claims_of(system: str, variant: str = "modern") -> tuple[Property, ...]:
    return built(system, variant).properties


def rules_of(group: str) -> set[str]:
    """Return the rules that some system of a group claims, in some variant."""
    claims = (each for system in GROUPS[group] for v in VARIANTS for each in claims_of(system, v))
    return {each.rule for each in claims} - {""}


# --- explorations and findings -------------------------------------------------------------------


def explored(system: str, variant: str) -> Exploration:
    return _explored(system, first_alike(system, variant))


@cache
def _explored(system: str, variant: str) -> Exploration:
    return explore(built(system, variant))


def finding(system: str, variant: str, claim: str) -> Finding:
    """Return what is found of one property; the others are not decided for it."""
    return _finding(system, first_alike(system, variant), claim)


@cache
def _finding(system: str, variant: str, claim: str) -> Finding:
    (wanted,) = (each for each in claims_of(system, variant) if each.name == claim)
    return decide(_explored(system, variant), wanted)


def findings(system: str, variant: str) -> dict[str, Finding]:
    """Return what is found of every property, by its name."""
    names = (each.name for each in claims_of(system, variant))
    return {name: finding(system, variant, name) for name in names}


@cache
def manifest() -> Manifest:
    """Return what is recorded of every system in every variant."""
    return known()


def failing(system: str) -> set[str]:
    """Return the properties that fail in some variant, as the manifest has it."""
    verdicts = (each for entry in manifest()[system].values() for each in entry.properties.items())
    return {name for name, verdict in verdicts if verdict.holds is False}


# --- paths ---------------------------------------------------------------------------------------


class Ending(NamedTuple):
    """The last two states of a path, by names, and the rule that the last step breaks."""

    before: dict[str, str]
    after: dict[str, str]
    broken: str


def path_of(system: str, variant: str, claim: str) -> Path:
    """Return the path that shows what was found, which there must be."""
    path = finding(system, variant, claim).path
    assert path is not None, (system, variant, claim)
    return path


def ending(system: str, variant: str, claim: str) -> Ending:
    last = path_of(system, variant, claim).steps[-1]
    named = built(system, variant).name_state
    return Ending(named(last.before), named(last.after), last.vector.breaks)


def assert_in_order(path: Path, *texts: str) -> tuple[str, ...]:
    """Assert that labels with these texts come in this order; return the labels after the last."""
    labels = list(path.labels)
    for text in texts:
        places = [place for place, label in enumerate(labels) if text in label]
        assert places, (text, path.labels)
        del labels[: places[0] + 1]
    return tuple(labels)


def assert_shows(path: Path, *texts: str) -> None:
    """Assert that labels with these texts come in this order, the last one at the end."""
    assert assert_in_order(path, *texts) == (), path.labels


def labels_taken(system: str, variant: str) -> set[str]:
    """Return the labels of all steps that can be reached."""
    found = explored(system, variant)
    return {found.system.vectors[vector].label for _, vector, _ in found.edges}
