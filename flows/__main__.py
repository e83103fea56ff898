"""`python -m flows COMMAND ...`: what the script `printedmlp` does."""

import sys

from flows.commands import MODULE, main

if __name__ == "__main__":
    sys.exit(main(name=MODULE))
