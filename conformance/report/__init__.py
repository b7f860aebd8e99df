"""Reports in the forms of others, and of many runs.

* `summary` is the text at the end of many reports;
* `junit` and `sarif` are what CI servers and code hosts read.

The report of one run as text is `bdevcheck.conformance.text`; JSON of our own form is
`bdevcheck.conformance.document`.
"""
