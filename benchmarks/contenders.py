"""Names the contenders, as tables and plot show them."""

POSTGRES = "studybot on PostgreSQL, Redis"
SQLITE = "studybot on SQLite"
BARE = "bare discord.py"
QUEUE = "queue and worker"
BARE_VIEW = "a bare view"

OURS = (POSTGRES, SQLITE)
ALL = (*OURS, BARE, QUEUE)
# The names on the command line.
SHORT = {"postgres": POSTGRES, "sqlite": SQLITE, "bare": BARE, "queue": QUEUE}
