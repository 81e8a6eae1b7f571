"""The webhook bridge under load, beside partners that hang, and killed."""
