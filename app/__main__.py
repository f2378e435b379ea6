"""`python -m app` is the same as `loan-registry`."""

from app.cli.root import main

if __name__ == "__main__":
    main()
