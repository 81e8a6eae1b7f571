"""The Merkle log: its tiles, its signed heads, and the check of a proof."""
