"""HTTP: each dialect is parsed, authenticated, carried out, and answered in its own words."""
