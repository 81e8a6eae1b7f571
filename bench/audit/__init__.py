"""What the audit log finds, and what it costs."""
