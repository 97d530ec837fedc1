"""Upgrades tried out: the code of the last release on the schema of this one."""
