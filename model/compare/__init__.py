"""Compare what two systems let a client see: languages, and bisimulation.

`compare` explores both and says which observable behaviours one has and the other lacks. Below it:
`observe` (what a client sees of a step), `lts` (transition systems of what is seen), `branching`
and `weak` (bisimulation), `formula` (why two are not bisimilar), `inclusion` (languages), `relate`
(all of them), `run` (what a side did inside while that was seen).
"""

from bdevcheck.model.compare.comparison import (
    Bounds,
    Comparison,
    Difference,
    Side,
    compare,
    without,
)
from bdevcheck.model.compare.formula import Formula
from bdevcheck.model.compare.observe import QUIET, ObservationError
from bdevcheck.model.compare.relate import Relation
from bdevcheck.model.compare.run import Moment, path_of

__all__ = [
    "QUIET",
    "Bounds",
    "Comparison",
    "Difference",
    "Formula",
    "Moment",
    "ObservationError",
    "Relation",
    "Side",
    "compare",
    "path_of",
    "without",
]
