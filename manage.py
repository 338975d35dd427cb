#!/usr/bin/env python
"""Django's command line for studybot."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studybot.settings")
    try:
        from django.core.management import execute_from_command_line

        from studybot.starting import in_one_sentence
    except ImportError as error:
        sys.exit(f"{error}. Install what studybot needs: pip install -r requirements.txt")
    with in_one_sentence():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
