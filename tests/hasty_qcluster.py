"""manage.py, for a test of tasks over their time: `time.sleep` counts as a task, of one second."""

import os
import sys

import django
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studybot.settings")
    django.setup()
    from django_q.conf import Conf

    from notices import tasks

    Conf.TIMEOUT = 1
    tasks.TAKES = {**tasks.TAKES, "time.sleep": (int,)}
    execute_from_command_line(sys.argv)
