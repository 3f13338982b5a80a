"""The ``podium`` command."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line of this process; return its exit code."""
    from podium.cluster.cli import main as cli

    return cli(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
