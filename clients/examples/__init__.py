"""Short programs to run: `python -m clients.examples.watch_order --help`."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Final

from clients.errors import ClientError, ProblemError

__all__ = ["ended"]

_INTERRUPTED: Final = 130  # as shells say it of SIGINT


def ended(work: Coroutine[Any, Any, None]) -> None:
    """Run it. What goes wrong is one line, and exit status 1; Ctrl-C is 130."""
    try:
        asyncio.run(work)
    except ProblemError as problem:
        fields = "".join(f"\n  {field.pointer}: {field.detail}" for field in problem.errors)
        sys.exit(f"{problem}{fields}")
    except ClientError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
