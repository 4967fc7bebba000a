"""``python -m tfaigc``: the command line."""

from __future__ import annotations

from tfaigc.cli import main

if __name__ == "__main__":
    main()
