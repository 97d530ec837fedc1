"""How rows are read and written: the only SQL, connection in, rows out, never a commit."""
