"""Reads for looking: pages of journeys, messages, timelines and the mailbox, bounded and stable under inserts."""
