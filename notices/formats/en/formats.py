"""Moments as they are written in English."""

DATETIME_FORMAT = "D, M j, Y, g:i A"
# Of this year; see `moments`.
NEAR_DATETIME_FORMAT = "D, M j, g:i A"
CLOCK_FORMAT = "g:i:s A"
