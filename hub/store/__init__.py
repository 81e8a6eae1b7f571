"""Redis or Valkey: keys, scripts, the bus, and the embedded server. No rule of the business."""
