"""Systems: compositions of the life cycles that are explored, by name."""

from collections.abc import Callable

from bdevcheck.model.compose import System
from bdevcheck.model.systems.issue_3413 import issue_3413
from bdevcheck.model.systems.most_general import most_general, most_general_deferred
from bdevcheck.model.variant import Variant

SYSTEMS: dict[str, Callable[[Variant], System]] = {
    "issue-3413": issue_3413,
    "most-general": most_general,
    "most-general-deferred": most_general_deferred,
}
"""System builders by name, each a function of the variant."""
