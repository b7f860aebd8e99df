"""The emulated target: a JSON-RPC server whose bdevs, requests and connections are live machines.

Below the sockets everything is synchronous, driven by callbacks and by one `Reactor`, which stands
for SPDK's app thread: so a run is a function of its requests, their times and a seed.
"""

from bdevcheck.traces.target.reactor import Reactor, Timer
from bdevcheck.traces.target.refusal import Aborted, Refused
from bdevcheck.traces.target.settings import Settings
from bdevcheck.traces.target.target import Target

__all__ = ["Aborted", "Reactor", "Refused", "Settings", "Target", "Timer"]
