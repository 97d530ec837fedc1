"""Transactional messages: what a call may ask for, and what it makes of it (CHN-01 to CHN-14)."""
