"""`python -m adapter` is the command `adapter`."""

from adapter.cli import main

if __name__ == "__main__":
    main()
