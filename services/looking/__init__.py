"""What people see when they look: answers in the contract's shapes, and the little a test may change in a mailbox."""
