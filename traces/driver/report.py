"""Show an agreement: text for people, a document for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bdevcheck.traces.driver.agreement import MASKS, Agreement


def lines_of(agreement: Agreement) -> Iterator[str]:
    """Yield the agreement by method, the most frequent first, then each kind of difference."""
    yield f"{'agreement with the recorded replies':<36} {'agreed':>7} {'of':>7}"
    for method, count in _by_method(agreement):
        yield f"{method:<36} {agreement.agreed[method]:>7} {count:>7}"
    total, agreed = agreement.replies.total(), agreement.agreed.total()
    yield f"{'all':<36} {agreed:>7} {total:>7}  {agreement.share:.1%}"
    for method, path, recorded, found, count in _kinds(agreement):
        yield f"  {count} × {method} {path or '(all)'}: recorded {recorded}, found {found}"


def document(agreement: Agreement) -> Mapping[str, object]:
    """Return the agreement as a JSON object; `masked` says what was not compared, and why."""
    methods = {
        method: {"replies": count, "agreed": agreement.agreed[method]}
        for method, count in _by_method(agreement)
    }
    names = ("method", "path", "recorded", "found", "count")
    return {
        "replies": agreement.replies.total(),
        "agreed": agreement.agreed.total(),
        "methods": methods,
        "differences": [dict(zip(names, each, strict=True)) for each in _kinds(agreement)],
        "masked": [{"path": path, "why": why} for path, why in MASKS],
    }


def _by_method(agreement: Agreement) -> list[tuple[str, int]]:
    return sorted(agreement.replies.items(), key=lambda each: (-each[1], each[0]))


def _kinds(agreement: Agreement) -> list[tuple[str, str, str, str, int]]:
    kinds = sorted(agreement.kinds.items(), key=lambda each: (-each[1], each[0]))
    return [(*kind, count) for kind, count in kinds]
