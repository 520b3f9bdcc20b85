"""``python -m mhscreen``."""

from mhscreen.cli import main

if __name__ == "__main__":
    main()
