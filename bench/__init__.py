"""What Sojourn costs: one program per figure, each measuring its limit or its peer in the same run and printing a ratio."""
