"""Every rule and word of the product, pure: no I/O, no clock, no chance."""
