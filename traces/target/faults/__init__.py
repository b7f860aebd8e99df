"""Planted faults: violations of one rule each, for testing checkers, ours and other people's.

Every rule of LIFECYCLE 9.6 has one. A planted fault is deterministic: it shows at the first calls
that can show it, so that the shortest script that finds it is short.
"""

from bdevcheck.traces.target.faults.plan import FAULTS, Fault, plant

__all__ = ["FAULTS", "Fault", "plant"]
