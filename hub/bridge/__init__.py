"""The webhook bridge: from the log of events to the partners' servers, at least once, in order."""
