"""Check recorded SPDK JSON-RPC traces against the life cycle of block devices (bdevs).

* `bdevcheck.model`: the life cycles as machines, their systems, exploration, the RPC catalogue.
* `bdevcheck.traces`: what was seen on a wire or in a log, read, merged, recorded and emulated.
* `bdevcheck.conformance`: is a trace an execution of the system, and if not, which rule broke?
* `bdevcheck.diagrams`: machines, paths and traces as pictures.
"""
