"""The worker: what has to happen at its time, whoever is alive to do it."""
