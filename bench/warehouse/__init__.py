"""The warehouse under kills, and how fast it is filled."""
