"""The server: hub instances, the webhook bridge and the worker."""
