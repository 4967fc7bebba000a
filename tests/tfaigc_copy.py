"""The command line in a copy of a process: `python -S tfaigc_copy.py ADDRESS ARGUMENTS...`.

It gives its own streams, directory and environment to the copy, and ends as that ends.
"""

from __future__ import annotations

import sys

from fork_server import ForkServer

if __name__ == "__main__":
    address, *arguments = sys.argv[1:]
    sys.exit(ForkServer(address).start(arguments, [0, 1, 2]).wait())
