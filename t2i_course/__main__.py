"""`python -m t2i_course` is the command t2i."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
