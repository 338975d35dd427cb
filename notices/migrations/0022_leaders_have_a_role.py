"""Leading a study becomes one of the roles in it."""

from django.conf import settings
from django.db import migrations, models


def give_roles(apps, schema_editor):
    Study, StudyRole = apps.get_model("notices", "Study"), apps.get_model("notices", "StudyRole")
    leads = Study.leaders.through.objects.order_by("id").values_list("study_id", "user_id")
    StudyRole.objects.bulk_create(
        (StudyRole(study_id=study, user_id=user, role="leader") for study, user in leads.iterator()),
        batch_size=1000,
    )


def take_roles(apps, schema_editor):
    Study, StudyRole = apps.get_model("notices", "Study"), apps.get_model("notices", "StudyRole")
    Leads = Study.leaders.through
    roles = StudyRole.objects.filter(role="leader").values_list("study_id", "user_id")
    Leads.objects.bulk_create(
        (Leads(study_id=study, user_id=user) for study, user in roles.iterator()), batch_size=1000
    )


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("notices", "0021_people"),
    ]

    operations = [
        migrations.RunPython(give_roles, take_roles),
        migrations.RemoveField(model_name="study", name="leaders"),
        migrations.AddField(
            model_name="study",
            name="accounts",
            field=models.ManyToManyField(
                related_name="studies", through="notices.StudyRole", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
