"""Who is measured, by the names that tables and plot give them."""

POSTGRES = "studybot on PostgreSQL, Redis"
SQLITE = "studybot on SQLite"
BARE = "bare discord.py"
QUEUE = "queue and worker"
BARE_VIEW = "a bare view"

OURS = (POSTGRES, SQLITE)
ALL = (*OURS, BARE, QUEUE)
# As the command line takes them.
SHORT = {"postgres": POSTGRES, "sqlite": SQLITE, "bare": BARE, "queue": QUEUE}
