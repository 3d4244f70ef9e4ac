"""Ovenbird: every push safely on every instance of an EC2 fleet."""
