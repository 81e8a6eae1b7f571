"""Pure decisions: no sockets, no clock, no chance, no store. What is needed comes in as values."""
