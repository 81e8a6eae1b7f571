"""The contract in code: what Ordercast and its users agree on; pydantic and msgpack only."""
