"""What is left when a customer is erased, and names in place of people."""
