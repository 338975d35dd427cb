"""The fields' defaults ask our clock. The database keeps no default of theirs: no table changes."""

from django.db import migrations, models

import notices.outside.clock


def moment(label: str = "", **options: bool) -> models.DateTimeField:
    labels = {"verbose_name": label} if label else {}
    return models.DateTimeField(default=notices.outside.clock.now, **labels, **options)


class Migration(migrations.Migration):
    dependencies = [("notices", "0019_defaults_of_inserted_rows")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("callbackendpoint", "created_at", moment("created", editable=False)),
                migrations.AlterField("change", "at", moment()),
                migrations.AlterField("delivery", "changed_at", moment("changed", editable=False)),
                migrations.AlterField("notice", "changed_at", moment("changed", editable=False)),
                migrations.AlterField("notice", "created_at", moment("created", editable=False)),
                migrations.AlterField("study", "created_at", moment("created", editable=False)),
                migrations.AlterField("submission", "submitted_at", moment()),
                migrations.AlterField("upload", "uploaded_at", moment("uploaded")),
            ]
        )
    ]
