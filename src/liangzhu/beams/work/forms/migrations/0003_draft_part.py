from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('forms', '0002_owner_person'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='draft',
            name='forms_one_draft',
        ),
        migrations.AddField(
            model_name='draft',
            name='part',
            field=models.CharField(blank=True, default='', help_text='the part of the subject; empty: the whole', max_length=40),
        ),
        migrations.AddConstraint(
            model_name='draft',
            constraint=models.UniqueConstraint(fields=('owner', 'form', 'subject', 'part'), name='forms_one_draft'),
        ),
    ]
