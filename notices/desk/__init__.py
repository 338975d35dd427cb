"""The leaders' desk: the pages of the admin, a file each."""
