"""`python -m fer`: the command line."""

import sys

from fer.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
