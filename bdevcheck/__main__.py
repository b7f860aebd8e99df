"""Run the command line as `python -m bdevcheck`."""

import sys

from bdevcheck.cli import main

if __name__ == "__main__":
    sys.exit(main())
