from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notices', '0016_composed_texts'),
    ]

    operations = [
        migrations.AddField(
            model_name='keptanswer',
            name='size',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('status__in', ['draft', 'scheduled'])), fields=['created_with'], name='notice_waiting_of_key'),
        ),
    ]
