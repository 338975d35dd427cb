"""The desk: the pages of the Django admin, one file for each."""
