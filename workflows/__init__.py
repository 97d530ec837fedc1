"""The patience of the product: order, waits, wakes; no rule of its own."""
