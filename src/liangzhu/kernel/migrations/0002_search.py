"""The search index: its table, and beside it what Django does not know how to make."""

from django.db import migrations, models

SQLITE = """
CREATE VIRTUAL TABLE kernel_searchtext USING fts5(
    scope, singles, stream, columnsize=0, tokenize="ascii tokenchars '_'"
)
"""
POSTGRESQL = """
ALTER TABLE kernel_searchdoc
    ADD COLUMN scope text[] NOT NULL DEFAULT '{}',
    ADD COLUMN words tsvector NOT NULL DEFAULT '';
CREATE INDEX search_words ON kernel_searchdoc USING gin (scope, words);
ALTER TABLE kernel_searchdoc ALTER COLUMN words SET STATISTICS 1000, ALTER COLUMN scope SET STATISTICS 1000;
"""


def forwards(apps, schema_editor):
    schema_editor.execute(POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        schema_editor.execute("DROP TABLE kernel_searchtext")


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SearchDoc",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("ident", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "检索条目",
                "constraints": [models.UniqueConstraint(fields=("kind", "ident"), name="search_doc_once")],
            },
        ),
        migrations.RunPython(forwards, backwards),
    ]
