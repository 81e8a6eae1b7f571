"""What a user would pick instead of Ordercast, each started from public packages."""
