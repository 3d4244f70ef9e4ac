"""The same job done by a script, through the same faults: they bite."""
