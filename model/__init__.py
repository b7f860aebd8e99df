"""The model: life cycles as state machines, composed into systems and explored exhaustively.

* `machine`: `declare` a machine as a `transitions` table; `live` for one that is driven.
* `compose`: systems of machines by synchronisation vectors; `expression`, `property`: what is
  claimed of their states and runs.
* `explore`: find every state within bounds; `verify`: decide the properties; `path`: the runs that
  show it.
* `machines`: the life cycles of SPDK, one file each; `clause`, `contract`: what RPC handlers do
  with them; `catalogue`: which methods there are.
* `variant`: what a version of SPDK does; `rule`: what it should do; `systems`: what is explored.
"""
