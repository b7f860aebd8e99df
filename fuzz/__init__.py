"""Fuzzing: hurt recordings in memory, and see whether the checker stays right about them.

* `sample` holds an input and finds the recordings; `row` reads and writes lines of the wire.
* `octet`, `value`, `record`, `line` hurt an input in any way; `loss` only removes knowledge;
  `alike`, `rename` change what must not matter; `plant` puts a contradiction in.
* `mutation` names them all; `case` makes a case of a seed and a number.
* `runner` runs one input within a budget; `oracle` says what must not come out, `unasked` where a
  claim does not hold.
* `loop` and `guided` drive; `shrink` and `failure` make a failing case small and keep it.
"""
