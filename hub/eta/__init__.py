"""When an order arrives: estimates, what corrects them, and their training."""
