"""What a message says, per channel, as authored; email has a file of its own beside (MSG-17)."""
