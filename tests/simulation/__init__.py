"""Whole rollouts under random faults: what is drawn from a seed, done, judged and counted."""
