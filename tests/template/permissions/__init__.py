"""Least privilege: what the stories ask of AWS, and what the template's roles answer."""
