"""Stops a process whose tables are of another version, since its errors would not say so."""

from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def refuse_unapplied_migrations() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    connection.close()  # threads and processes have connections of their own
    if plan:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in plan[:3])
        raise CommandError(
            f"{len(plan)} migrations are not applied ({names} …). Run `manage.py migrate`."
        )
