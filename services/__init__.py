"""What an operator or another system asks for: configure, start, stop, send, look."""
