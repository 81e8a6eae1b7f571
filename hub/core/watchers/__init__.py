"""What those who watch an order get: the conversation, the events without holes, the view."""
