"""`make run`: starts everything, with a demo if there is no bot token."""
