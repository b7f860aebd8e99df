"""Failures as files: the inputs as they are, so that they fail again without the recordings.

One JSON object: `kind`, `key`, `text`, `claim`, `mutations`, `base`, `command`, and `before` and
`after`, each with `wire` and `log` (null: none), whose bytes are the characters of the strings
(Latin-1). Beside it stand the files of `after`, for `bdevcheck check`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fuzz.finding import Finding
from fuzz.oracle import COMPARING, Claim, breach_of
from fuzz.runner import HEADROOM, TRACEBACK, Bench, Run, run
from fuzz.sample import Sample

_BYTES = "latin-1"
_NEAR = 12
"""Frames by which the depth of recursion may differ from process to process."""


def write(finding: Finding, folder: Path) -> Path:
    """Write a finding into a folder, which is made if need be; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    after = finding.inputs.after
    digest = hashlib.sha256(after.wire + b"\0" + (after.log or b"")).hexdigest()[:10]
    stem = f"{finding.kind}-{digest}"
    path = folder / f"{stem}.json"
    files = after.write(folder, stem)
    path.write_text(json.dumps(_document(finding, path, files), indent=1), encoding="utf-8")
    return path


def _document(finding: Finding, path: Path, files: list[Path]) -> dict[str, object]:
    return {
        "kind": finding.kind,
        "key": finding.key,
        "text": finding.text,
        "claim": finding.inputs.claim,
        "base": finding.case.base.name,
        "donor": finding.case.donor.name,
        "mutations": [str(each) for each in finding.case.mutations],
        "command": f"python -m fuzz --replay {path}",
        "check": f"bdevcheck check {' '.join(map(str, files))}",
        "before": _of(finding.inputs.before),
        "after": _of(finding.inputs.after),
    }


def _of(sample: Sample) -> dict[str, str | None]:
    log = None if sample.log is None else sample.log.decode(_BYTES)
    return {"wire": sample.wire.decode(_BYTES), "log": log}


def replay(bench: Bench, path: Path) -> str:
    """Run a failure again; return what is wrong still, "" where nothing is.

    A hang is run without a limit of time, so that it shows itself. Raises ValueError for a file
    that is no failure.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        before, after = _sample(held["before"]), _sample(held["after"])
        claim = Claim(held["claim"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: no failure of fuzz: {error!r}") from None
    second = run(bench, after, None)
    if held.get("kind") == TRACEBACK and second.trouble is None:
        second = _run_near(bench, after)
    if second.trouble is not None:
        return second.trouble.text
    first = run(bench, before, None) if claim in COMPARING else None
    if first is not None and first.trouble is not None:
        return first.trouble.text
    return breach_of(claim, first.judged if first else None, second.judged)


def _run_near(bench: Bench, sample: Sample) -> Run:
    """Run it with a little less or more depth of recursion, until it fails."""
    for headroom in range(HEADROOM - _NEAR, HEADROOM + _NEAR):
        found = run(replace(bench, headroom=headroom), sample, None)
        if found.trouble is not None:
            break
    return found


def _sample(held: Mapping[str, Any]) -> Sample:
    log = held["log"]
    wire = held["wire"].encode(_BYTES)
    return Sample("replayed", wire, None if log is None else log.encode(_BYTES))
