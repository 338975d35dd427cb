"""Wrong combinations of settings, found by `manage.py check`."""
