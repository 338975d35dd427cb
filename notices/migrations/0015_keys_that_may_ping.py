from django.db import migrations, models


def _field(*, default: bool) -> models.BooleanField:
    return models.BooleanField(
        default=default,
        help_text='Its notices may ping @everyone, @here or the role.',
        verbose_name='may ping',
    )


class Migration(migrations.Migration):
    """The keys that there are keep what they can do; a new one has to be given it."""

    dependencies = [
        ('notices', '0014_name_of_the_bot'),
    ]

    operations = [
        migrations.AddField(model_name='apikey', name='may_ping', field=_field(default=True)),
        migrations.AlterField(model_name='apikey', name='may_ping', field=_field(default=False)),
    ]
