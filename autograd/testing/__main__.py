"""`python -m autograd.testing check ...` is the command line without pictures."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
