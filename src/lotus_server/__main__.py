"""Makes `python -m lotus_server` the same as `lotus`."""

from lotus_server.cli import main

if __name__ == "__main__":
    main()
