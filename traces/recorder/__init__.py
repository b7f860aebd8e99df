"""Record what crosses a JSON-RPC socket, unnoticed by those who talk over it.

* `Recorder` stands between clients and a target inside an event loop; `recording` does so in a
  thread of its own, for tests. docs/record.md says what a user sees.
* `proxy` and `link` forward bytes; `queue` hands copies to `scribe`, a thread that cuts them into
  messages (`cutter`), makes lines of them (`transcript`) and writes them (`sink`).
* `address` makes the socket that clients use, and finds the target's.
"""

from bdevcheck.traces.recorder.recorder import Options, Recorded, Recorder, recording
from bdevcheck.traces.recorder.sink import Fsync

__all__ = ["Fsync", "Options", "Recorded", "Recorder", "recording"]
