"""The commands, one file each; `bdevcheck.cli` puts them together."""
