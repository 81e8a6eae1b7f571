"""What is measured: one module a workload, each with a `run` that answers a JSON object."""
