"""``python -m pgmc``: the command ``pgmc``, where its script is not on the path."""

from pgmc.cli import main

if __name__ == "__main__":
    main()
