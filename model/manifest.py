"""The manifest: every system in every variant, with its counts, verdicts and shortest paths.

`model/manifest.json` is the record, `docs/systems.md` shows it, and
`python -m bdevcheck.model.manifest [SYSTEM ...]` makes both anew. A test compares; seconds are of
the machine that wrote them and are not compared.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path

import msgspec

from bdevcheck.model.compose import System
from bdevcheck.model.packed.decide import outcome_of
from bdevcheck.model.packed.search import search
from bdevcheck.model.rule import RULES
from bdevcheck.model.systems import LARGE_SYSTEMS, SYSTEMS
from bdevcheck.model.variant import VARIANTS, Variant

Builder = Callable[[Variant], System]


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found of one property; `length` in steps of the shortest path that shows it."""

    holds: bool | None
    length: int | None
    rule: str


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One system in one variant."""

    states: int
    steps: int
    depth: int
    seconds: float
    properties: dict[str, Verdict]


Manifest = dict[str, dict[str, Entry]]
"""System -> variant -> entry."""

_ROOT = Path(__file__).resolve().parent.parent
PAGE = "docs/systems.md"
RECORD = "model/manifest.json"


def known() -> Manifest:
    """Return the recorded manifest."""
    text = resources.files(__package__).joinpath("manifest.json").read_bytes()
    return msgspec.json.decode(text, type=Manifest)


def measure(
    builders: Mapping[str, Builder], variants: Iterable[Variant]
) -> Iterator[tuple[str, str, Entry]]:
    """Search each system in each variant, and yield what was found of it."""
    chosen = tuple(variants)
    for name, build in builders.items():
        for variant in chosen:
            yield name, variant.name, entry_of(build(variant))


def entry_of(system: System) -> Entry:
    """Search one system and decide its properties.

    Seconds are those of the whole: tables, search and properties.
    """
    begun = time.monotonic()
    outcome = outcome_of(search(system))
    seconds = time.monotonic() - begun
    properties = {
        each.property.name: Verdict(
            each.holds, None if each.path is None else len(each.path), each.property.rule
        )
        for each in outcome.findings
    }
    counts = (outcome.states, outcome.steps, outcome.depth)
    return Entry(*counts, float(f"{seconds:.2g}"), properties)


def page_of(manifest: Manifest) -> Iterator[str]:
    """Yield the page about a manifest, line by line."""
    yield "# The systems, and where each rule is broken"
    yield ""
    yield "Made by `python -m bdevcheck.model.manifest`, as `model/manifest.json`; a test compares."
    yield "A property holds for its system, its variant and the system's bounds, nothing more."
    yield "Seconds are of one machine, for tables, search and properties together."
    yield ""
    yield from _rules(manifest)
    for name, variants in manifest.items():
        yield from _system(name, variants)


def _rules(manifest: Manifest) -> Iterator[str]:
    yield "## Rules"
    yield ""
    yield "For each rule the systems and variants in which it is broken, with the length of the"
    yield "shortest path; and how many systems claim it in all."
    yield ""
    yield "| rule | broken in | claimed in |"
    yield "|---|---|---|"
    for rule in RULES:
        places = list(_places(manifest, rule))
        broken = "<br>".join(_broken(places)) or "nowhere: it holds in every variant"
        systems = len({system for system, *_ in places})
        yield f"| `{rule}` | {broken} | {systems} |"
    yield ""


def _places(manifest: Manifest, rule: str) -> Iterator[tuple[str, str, str, Verdict]]:
    for system, variants in manifest.items():
        for variant, entry in variants.items():
            for name, verdict in entry.properties.items():
                if verdict.rule == rule:
                    yield system, variant, name, verdict


def _broken(places: Sequence[tuple[str, str, str, Verdict]]) -> Iterator[str]:
    """Yield where a rule is broken: variants with the same length together."""
    found: dict[tuple[str, str], dict[int | None, list[str]]] = {}
    for system, variant, name, verdict in places:
        if verdict.holds is False:
            lengths = found.setdefault((system, name), {})
            lengths.setdefault(verdict.length, []).append(variant)
    for (system, name), lengths in found.items():
        told = ", ".join(f"{_variants(some)}: {length} steps" for length, some in lengths.items())
        yield f"`{system}` ({name}) {told}"


def _variants(names: Sequence[str]) -> str:
    return "all" if len(names) == len(VARIANTS) else " ".join(names)


def _system(name: str, variants: Mapping[str, Entry]) -> Iterator[str]:
    system = {**SYSTEMS, **LARGE_SYSTEMS}[name](next(iter(VARIANTS.values())))
    yield f"## {name}"
    yield ""
    yield f"{system.about[0].upper()}{system.about[1:]}."
    yield ""
    yield f"| | {' | '.join(variants)} |"
    yield f"|---|{'---|' * len(variants)}"
    for label in ("states", "steps", "depth", "seconds"):
        counts = (f"{getattr(entry, label):,}" for entry in variants.values())
        yield f"| {label} | {' | '.join(counts)} |"
    names = dict.fromkeys(each for entry in variants.values() for each in entry.properties)
    for each in names:
        cells = (_cell(entry.properties.get(each)) for entry in variants.values())
        yield f"| {each} | {' | '.join(cells)} |"
    yield ""


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return "-"
    word = {True: "holds", False: "**fails**", None: "open"}[verdict.holds]
    return word if verdict.length is None else f"{word}, {verdict.length}"


def main(names: Sequence[str] = ()) -> None:
    """Make the record (of some systems, or of all) and the page anew, telling what is under way."""
    builders = {**SYSTEMS, **LARGE_SYSTEMS}
    record = known() if (_ROOT / RECORD).exists() else {}
    chosen = {name: builders[name] for name in names or builders}
    for system, variant, entry in measure(chosen, VARIANTS.values()):
        record.setdefault(system, {})[variant] = entry
        told = f"{entry.states:>12,} states {entry.steps:>13,} steps {entry.seconds:>8} s"
        sys.stderr.write(f"{system:48}{variant:12}{told}\n")
        write({name: record[name] for name in builders if name in record})


def write(manifest: Manifest) -> None:
    """Write the record and the page."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (_ROOT / RECORD).write_bytes(text + b"\n")
    page = "\n".join(page_of(manifest)).rstrip() + "\n"
    (_ROOT / PAGE).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
