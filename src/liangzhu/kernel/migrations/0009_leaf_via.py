from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kernel', '0008_seal'),
    ]

    operations = [
        migrations.AddField(
            model_name='logleaf',
            name='via',
            field=models.CharField(blank=True, db_default='', default='', help_text='token of the API; no field of the hash: the details commit to it, this column is for lists', max_length=40),
        ),
        migrations.AddIndex(
            model_name='logleaf',
            index=models.Index(condition=models.Q(('via__gt', '')), fields=['via', 'id'], name='log_leaf_via'),
        ),
    ]
