"""The command line: what `sojourn` asks a server over HTTP, and how the answers look in a terminal."""
