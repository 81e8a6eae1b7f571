"""What becomes of an order: its commands, events, exceptions, deadlines and estimate."""
