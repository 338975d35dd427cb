"""A saved notice schedules its fan-out: nothing else happens here."""
