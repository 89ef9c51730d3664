"""Makes ``python -m benchmarks`` work."""

from benchmarks.cli import main

if __name__ == "__main__":
    main()
