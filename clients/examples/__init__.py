"""Short programs to run: `python -m clients.examples.watch_order --help`."""
