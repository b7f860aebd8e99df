"""What a watch says of a trace, in a form that tests compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from bdevcheck.conformance.verdict import Doubt, Violation
from bdevcheck.conformance.watch import Watcher
from bdevcheck.conformance.watch.outcome import Exempt, Kept, Outcome
from bdevcheck.conformance.watch.run import watch
from bdevcheck.traces import Trace, load
from tests.builder import Json, Script, reply_of, request_of

Tally: TypeAlias = dict[tuple[str, str], int]
"""(rule, kind of outcome) -> how often."""


def outcomes_of(script: Script, watcher: Watcher, *, log: bool = True) -> list[Outcome]:
    """Return all that a watch says of a script."""
    return list(watch(script.trace(log=log), [watcher]))


def violations_in(outcomes: Iterable[Outcome]) -> list[Violation]:
    """Return the violations, in order."""
    return [each for each in outcomes if isinstance(each, Violation)]


def doubts_in(outcomes: Iterable[Outcome]) -> list[Doubt]:
    """Return the doubts, in order."""
    return [each for each in outcomes if isinstance(each, Doubt)]


def kept_in(outcomes: Iterable[Outcome]) -> int:
    """Return how many obligations were kept."""
    return sum(isinstance(each, Kept) for each in outcomes)


def tally_of(outcomes: Iterable[Outcome]) -> Tally:
    """Count outcomes by rule and kind."""
    return dict(Counter((each.rule, _kind(each)) for each in outcomes))


def _kind(outcome: Outcome) -> str:
    return _KINDS[type(outcome)]


_KINDS: dict[type, str] = {
    Violation: "violated",
    Kept: "kept",
    Doubt: "undecided",
    Exempt: "exempt",
}


# -- recordings ------------------------------------------------------------------------------------


def recordings(shared: Path, *, log: bool) -> Iterator[tuple[str, Trace]]:
    """Yield each recording by `target/name`, in order of names."""
    for wire in sorted((shared / "recordings").glob("*/*.wire.jsonl*")):
        name = wire.name.partition(".wire.")[0]
        logs = sorted(wire.parent.glob(f"{name}.log*"))
        yield f"{wire.parent.name}/{name}", load([wire, *logs] if log else [wire])


def tally_of_recordings(
    shared: Path, watchers: Iterable[Watcher], *, log: bool
) -> tuple[Tally, dict[str, Tally]]:
    """Return what watches say of all recordings, and of those that are not only kept."""
    chosen = tuple(watchers)
    total: Counter[tuple[str, str]] = Counter()
    odd: dict[str, Tally] = {}
    for name, trace in recordings(shared, log=log):
        found = tally_of(watch(trace, chosen))
        total.update(found)
        rest = {key: count for key, count in found.items() if key[1] != "kept"}
        if rest:
            odd[name] = rest
    return dict(total), odd


# -- pieces of traces ------------------------------------------------------------------------------


def poll(
    script: Script,
    ms: float,
    notes: Json,
    *,
    start: Json = 0,
    limit: Json = 100,
    conn: int = 2,
    answered: float | None = None,
) -> Script:
    """Ask for notifications, and get them.

    A tuple is number, `+` or `-` (or a type), and name; what else is in `notes` comes as it is.
    """
    script.ids += 1
    params = {"id": start, "max": limit}
    asked = request_of("notify_get_notifications", script.ids, params)
    shown = [_note(each) for each in notes] if isinstance(notes, list) else notes
    script.message(ms, "c2s", asked, conn)
    done = ms + 4 if answered is None else answered
    return script.message(done, "s2c", reply_of(script.ids, shown), conn)


def _note(each: Json) -> Json:
    if not isinstance(each, tuple):
        return each
    number, kind, name = each
    type_ = {"+": "bdev_register", "-": "bdev_unregister"}.get(kind, kind)
    return {"type": type_, "ctx": name, "id": number}


def ask(
    script: Script, ms: float, method: str, params: dict[str, Json], *, conn: int = 1
) -> Script:
    """Ask for something, with parameters of any names."""
    script.ids += 1
    script.latest[conn] = script.ids
    return script.message(ms, "c2s", request_of(method, script.ids, params), conn)


def listed(script: Script, ms: float, *entries: Json, conn: int = 1) -> Script:
    """List all bdevs, answered 4 ms later."""
    script.request(ms, "bdev_get_bdevs", conn=conn)
    return script.reply(ms + 4, list(entries), conn=conn)


def entry(name: str, *aliases: str, uuid: str = "", **shown: Json) -> dict[str, Json]:
    """Return an entry of a list."""
    found: dict[str, Json] = {"name": name, "aliases": list(aliases), **shown}
    return {**found, "uuid": uuid} if uuid else found


def deleted(
    script: Script, ms: float, method: str = "bdev_malloc_delete", name: str = "m"
) -> Script:
    """Delete a bdev, answered with success after 5 ms."""
    return script.request(ms, method, name=name).reply(ms + 5)


def raid_shown(
    name: str, state: str, *, members: int = 2, slots: int = 2, uuid: str = "u", first: int = 0
) -> dict[str, Json]:
    """Return an entry of a list of raids, with `members` configured of `slots` slots."""
    shown = [
        {"name": f"m{first + each}", "uuid": f"u{first + each}", "is_configured": each < members}
        for each in range(slots)
    ]
    return {
        "name": name, "uuid": f"{name} {uuid}", "state": state, "num_base_bdevs": slots,
        "num_base_bdevs_discovered": members, "num_base_bdevs_operational": slots,
        "base_bdevs_list": shown,
    }  # fmt: skip


def claims(script: Script, ms: float, *bases: str) -> Script:
    """Let the log say that a raid claims its members."""
    for base in bases:
        text = f"raid_bdev_configure_base_bdev: *DEBUG*: bdev {base} is claimed"
        script.line(ms, f"bdev_raid.c:3288:{text}")
    return script


def unwritten(script: Script, ms: float, name: str = "r") -> Script:
    """Let the log say that a raid has claimed m0, and could not write its superblock."""
    text = f"Failed to write raid bdev '{name}' superblock: Input/output error"
    where = "bdev_raid.c:1768:raid_bdev_configure_write_sb_cb: *ERROR*: "
    return claims(script, ms, "m0").line(ms + 0.1, where + text)
