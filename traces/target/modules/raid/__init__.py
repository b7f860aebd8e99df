"""Raids: levels 0, 1, 5f and concat, at the level of life cycle (module/bdev/raid; LIFECYCLE 3).

* `level`, `superblock`, `state`: what raids are, what lies on their members, what is remembered;
* `build`, `create`, `configure`, `register`: how they come to be; `assemble`: out of examination;
* `member`, `rebuild`: what joins and leaves; `remove`: how they end;
* `device`, `io`: the bdev that a raid is; `disk`: superblocks read and written; `methods`.
"""

from bdevcheck.traces.target.modules.raid.assemble import module
from bdevcheck.traces.target.modules.raid.methods import HANDLERS

__all__ = ["HANDLERS", "module"]
