"""Figures about Ovenbird, each a ratio or a count within one run: ``make bench`` prints them."""
