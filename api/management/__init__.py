"""What Sojourn adds of its own: definitions, lifecycle, workspaces, clock, tasks, health."""
