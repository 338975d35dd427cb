"""`make run`: everything started together, with a demo to look at where there is no bot token."""
