"""Machines, explored systems, paths and violations as pictures.

* `dot`: `draw_machine`, `draw_exploration`, `draw_projection`.
* `overlay`: `draw_overlay`, a path over the explored graph.
* `sequence`: `draw_sequence`, a path as a chart with one lane a component.
* `timeline`: `draw_timeline`, one violation between client and target; `draw_report`, all of them.
* `render`: `render` and `write`, to DOT, SVG and PNG, with or without a system `dot`.
* `gallery`: `regenerate`, the pictures of every machine and system.

Every picture is a `graphviz.Digraph`, and its DOT text is a function of what is drawn: the same
input gives the same text. Labels are plain text only, because the Graphviz that pip installs is
built without HTML-like labels and silently shows a node's name instead.
"""
