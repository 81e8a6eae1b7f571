"""What is made of a rider's fixes: believed or not, told or kept back, near a place or not."""
