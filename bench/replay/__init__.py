"""True orders and true trips, replayed through two hubs."""
