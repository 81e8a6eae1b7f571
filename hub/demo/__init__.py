"""`ordercast demo`: a simulated town on two real hubs, watched by the public clients."""
