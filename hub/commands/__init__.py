"""The commands that are not programs: tokens, proofs, estimates, receivers of webhooks."""
