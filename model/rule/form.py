"""The form of a rule: what it says, where that stands, and what to say when it is broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise.

    `known` says where SPDK is known to break it, in words for people. The rest is for a checker's
    explanations and is empty for a rule that traces are not judged by yet: `headline` and `between`
    say what happened and what must have been the case meanwhile, with `{method}`, `{bdev}`,
    `{ahead}` (how long the reply came too early, or nothing) and `{doing}` (what the bdev was at,
    or nothing) filled in. `stretch` says it in a few words, for a picture. `effect` is the event of
    the name machine that the reply should have waited for, or empty. `expected` completes "A
    conforming target would have ...". A rule that is `open_ended` is judged without these words: no
    trace can show that it is broken, for what it promises may still come, or may be kept from
    coming by somebody unseen; it is kept, or undecided.
    """

    name: str
    says: str
    source: str
    known: str = ""
    headline: str = ""
    between: str = ""
    stretch: tuple[str, ...] = ()
    effect: str = ""
    expected: str = ""
    advice: str = ""
    open_ended: bool = False
