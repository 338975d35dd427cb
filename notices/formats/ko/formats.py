"""Moments as they are written in Korean."""

DATETIME_FORMAT = "Y년 n월 j일 (D) A g:i"
# Of this year; see `moments`.
NEAR_DATETIME_FORMAT = "n월 j일 (D) A g:i"
CLOCK_FORMAT = "A g:i:s"
