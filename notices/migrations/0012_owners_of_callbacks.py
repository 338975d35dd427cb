import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('notices', '0011_submissions'),
    ]

    operations = [
        migrations.AddField(
            model_name='callbackendpoint',
            name='owner',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='answered for by'),
        ),
        migrations.AddField(
            model_name='callbackendpoint',
            name='seconds',
            field=models.FloatField(default=0, editable=False),
        ),
    ]
