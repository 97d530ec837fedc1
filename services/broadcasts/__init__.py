"""Broadcasts: their triggers, their frozen audience, and the walk of everybody in it (CHN-15 to CHN-22)."""
