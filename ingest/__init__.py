"""What happens when a fact arrives: stored, applied in order, settled into memberships, triggers and wakes."""
