"""The ``podium`` command; started by the name ``kubectl``, or as ``podium kubectl``, a kubectl.

``podium restart`` is a command for users of the API too, and made of the same parts.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line of this process; return its exit code."""
    called = os.path.basename(sys.argv[0])
    if called == "kubectl" or sys.argv[1:2] in (["kubectl"], ["restart"]):
        from podium.kubectl.main import main as kubectl

        whole = called == "kubectl" or sys.argv[1] == "restart"
        return kubectl(sys.argv[1:] if whole else sys.argv[2:])
    from podium.kit import collector

    with collector.paused():
        from podium.cluster.cli import main as cli

    return cli(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
