"""HTTP and WebSocket in, bytes out. No rule of the business."""
