"""Drive a target with the requests of a recording, and compare what it answers."""

from bdevcheck.traces.driver.agreement import Agreement, Difference, agreement_of, compare
from bdevcheck.traces.driver.replay import Exchange, Replay, replay

__all__ = ["Agreement", "Difference", "Exchange", "Replay", "agreement_of", "compare", "replay"]
