"""Names and texts that were typed in pieces (macOS) are composed, as new ones are: a search finds them."""

from django.conf import settings
from django.db import migrations

from notices.text import composed

TEXTS = {
    ("notices", "Notice"): ("title", "content", "author"),
    ("notices", "Study"): ("name",),
    ("notices", "Channel"): ("name", "guild_name"),
    ("notices", "Role"): ("name", "guild_name"),
    ("notices", "ApiKey"): ("name",),
    tuple(settings.AUTH_USER_MODEL.split(".")): ("username", "first_name", "last_name"),
}


def compose(apps, schema_editor):
    using = schema_editor.connection.alias
    for (app, name), fields in TEXTS.items():
        model = apps.get_model(app, name)
        rows = model._base_manager.using(using)
        for pk, *texts in rows.values_list("pk", *fields).iterator(chunk_size=1000):
            changed = {
                field: new
                for field, text in zip(fields, texts, strict=True)
                if (new := composed(text)) != text and fits(model, field, new, rows)
            }
            if changed:
                rows.filter(pk=pk).update(**changed)


def fits(model, name, text, rows):
    """A few scripts' letters are longer when composed, and two names may become one."""
    field = model._meta.get_field(name)
    if field.max_length is not None and len(text) > field.max_length:
        return False
    return not (field.unique and rows.filter(**{name: text}).exists())


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0015_keys_that_may_ping"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [migrations.RunPython(compose, migrations.RunPython.noop, elidable=True)]
