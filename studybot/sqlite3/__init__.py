"""Django's database backend for SQLite, with two changes."""
