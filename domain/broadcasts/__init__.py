"""What a call may say that triggers a broadcast, and what it is told when it may not (CHN-16 to CHN-21)."""
