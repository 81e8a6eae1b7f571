"""What Ordercast is used for, apart from how it is asked and where things are kept."""
