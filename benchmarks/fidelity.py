"""How far the emulated target's replies agree with those of real ones.

    python -m benchmarks.fidelity [FOLDER...] [--worst N]

Plays every recording below the folders (default: ../shared/recordings) to an emulated target of the
same version, in virtual time, and prints the agreement by method and every kind of difference.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from bdevcheck.model.variant import VARIANTS
from bdevcheck.traces.driver import Agreement, agreement_of
from bdevcheck.traces.driver.replay import Replay, records_of, replay
from bdevcheck.traces.driver.surroundings import files_of, waits_for_rpc
from bdevcheck.traces.target.modules.aio import Contents
from bdevcheck.traces.target.reactor import Reactor
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import Target, begin

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "recordings"
VARIANT_OF = {"before-fix": "buggy", "fix": "fix-commit", "v26.05": "modern", "master": "modern"}
"""Which variant stands for a recorded target, by the name of its folder (without -rpclog)."""

BUILD_OF = {"master": "3230130e6a"}
"""The commit of a recorded target that no variant stands for by name."""


def recordings(folders: list[Path]) -> Iterator[tuple[str, Path]]:
    """Yield variant and path of each recording of the wire."""
    for folder in folders:
        for path in sorted(folder.rglob("*.wire.jsonl*")):
            variant = VARIANT_OF.get(path.parent.name.removesuffix("-rpclog"))
            if variant is not None:
                yield variant, path


def play(variant: str, path: Path) -> Replay:
    """Play one recording."""
    records = records_of(path)
    build = BUILD_OF.get(path.parent.name.removesuffix("-rpclog"), "")
    settings = Settings(VARIANTS[variant], wait_for_rpc=waits_for_rpc(records), build=build)

    def make(reactor: Reactor) -> Target:
        target = begin(settings, reactor)
        target.part(Contents).pretended = files_of(records)
        return target

    return replay(records, make)


def main() -> int:
    """Print the agreement; return 1 where it is less than 98 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[RECORDINGS])
    parser.add_argument("--worst", type=int, default=60, help="kinds of differences to print")
    asked = parser.parse_args()
    total = Agreement()
    for variant, path in recordings(asked.folders):
        played = play(variant, path)
        found = agreement_of(played.exchanges(), played.uuids)
        total.merge(found)
        count = found.replies.total()
        name = f"{path.parent.name}/{path.name.split('.')[0]}"
        print(f"{name:60} {found.agreed.total():6}/{count:<6} {found.share:7.1%}", flush=True)
    print()
    for method, count in total.replies.most_common():
        print(
            f"{method:40} {total.agreed[method]:6}/{count:<6} {total.agreed[method] / count:7.1%}"
        )
    print(f"{'all':40} {total.agreed.total():6}/{total.replies.total():<6} {total.share:7.1%}\n")
    for (method, where, recorded, found_text), count in total.kinds.most_common(asked.worst):
        print(f"{count:6}  {method} {where}: {recorded} | {found_text}")
    return 0 if total.share >= 0.98 else 1


if __name__ == "__main__":
    sys.exit(main())
