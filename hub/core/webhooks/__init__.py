"""What partners are sent, how it is signed, and what follows from their answers."""
