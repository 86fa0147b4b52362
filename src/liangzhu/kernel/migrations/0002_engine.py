"""The log's tree, keys, outbox, limits, and the search index: beside its table what Django does not know how to make."""

import django.db.models.deletion
import liangzhu.kernel.sealing
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


from liangzhu.kernel.migrating import CreateModels


class Migration(migrations.Migration):
    replaces = [
        ("kernel", "0002_search"),
        ("kernel", "0003_keys"),
        ("kernel", "0004_outbox_lines"),
        ("kernel", "0005_log_tree"),
        ("kernel", "0006_release_withdrawn"),
        ("kernel", "0007_limits"),
        ("kernel", "0009_leaf_via"),
        ("kernel", "0010_rsa_keys"),
    ]

    dependencies = [
        ("kernel", "0001_initial"),
    ]

    operations = [
        CreateModels(
            migrations.CreateModel(
                name="Bucket",
                fields=[
                    ("key", models.CharField(max_length=80, primary_key=True, serialize=False)),
                    ("level", models.FloatField()),
                    ("at", models.DateTimeField(help_text="machine's clock: when ``level`` was right")),
                ],
                options={
                    "verbose_name": "限流",
                    "indexes": [models.Index(fields=["at"], name="kernel_buck_at_1eee43_idx")],
                },
            ),
            migrations.CreateModel(
                name="Key",
                fields=[
                    (
                        "id",
                        models.BigAutoField(
                            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                        ),
                    ),
                    ("purpose", models.CharField(max_length=40)),
                    ("version", models.PositiveSmallIntegerField()),
                    (
                        "public",
                        models.BinaryField(
                            default=b"",
                            help_text="SM2, P-256: 0x04, x, y; RSA: DER; else empty",
                            max_length=400,
                        ),
                    ),
                    (
                        "wrapped",
                        models.BinaryField(
                            help_text="the secret part, SM4-GCM under the master key", max_length=1400
                        ),
                    ),
                    (
                        "master",
                        models.CharField(
                            help_text="fingerprint of the master key that wraps it", max_length=16
                        ),
                    ),
                    ("created_at", models.DateTimeField(help_text="UTC, the machine's clock")),
                ],
                options={
                    "verbose_name": "密钥",
                    "constraints": [
                        models.UniqueConstraint(fields=("purpose", "version"), name="key_version_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="LogHead",
                fields=[
                    (
                        "size",
                        models.BigIntegerField(
                            help_text="leaves in the tree", primary_key=True, serialize=False
                        ),
                    ),
                    ("root", models.CharField(help_text="hex SM3", max_length=64)),
                    ("at", models.DateTimeField(help_text="UTC, the machine's clock")),
                    ("key", models.CharField(help_text="id of the key that signed", max_length=80)),
                    ("signature", models.CharField(help_text="hex SM2, r and s", max_length=128)),
                ],
                options={
                    "verbose_name": "日志树头",
                },
            ),
            migrations.CreateModel(
                name="LogTile",
                fields=[
                    (
                        "pk",
                        models.CompositePrimaryKey(
                            "level", "index", blank=True, editable=False, primary_key=True, serialize=False
                        ),
                    ),
                    ("level", models.PositiveSmallIntegerField()),
                    ("index", models.BigIntegerField()),
                    ("hashes", models.BinaryField(max_length=8192)),
                ],
            ),
            migrations.CreateModel(
                name="Received",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("source", models.CharField(max_length=200)),
                    ("ident", models.CharField(max_length=200)),
                    ("type", models.CharField(max_length=200)),
                    ("at", models.DateTimeField(help_text="machine's clock")),
                    (
                        "refused",
                        liangzhu.kernel.sealing.SealedTextField(blank=True, max_length=300, owner=""),
                    ),
                    (
                        "event",
                        models.ForeignKey(
                            null=True,
                            on_delete=django.db.models.deletion.SET_NULL,
                            related_name="+",
                            to="kernel.outboxevent",
                        ),
                    ),
                ],
                options={
                    "verbose_name": "来件",
                    "indexes": [models.Index(fields=["at"], name="received_at")],
                    "constraints": [
                        models.UniqueConstraint(fields=("source", "ident"), name="received_once")
                    ],
                },
            ),
            migrations.CreateModel(
                name="Replay",
                fields=[
                    ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                    (
                        "fingerprint",
                        models.CharField(help_text="hex SM3 of method, address and body", max_length=64),
                    ),
                    ("status", models.PositiveSmallIntegerField()),
                    ("answer", models.BinaryField(help_text="SM4-GCM of headers and body")),
                    ("ends_at", models.DateTimeField(help_text="machine's clock")),
                ],
                options={
                    "verbose_name": "幂等记录",
                    "indexes": [models.Index(fields=["ends_at"], name="kernel_repl_ends_at_cd30e6_idx")],
                },
            ),
            migrations.CreateModel(
                name="SearchDoc",
                fields=[
                    ("id", models.BigAutoField(primary_key=True, serialize=False)),
                    ("kind", models.CharField(max_length=40)),
                    ("ident", models.BigIntegerField()),
                ],
                options={
                    "verbose_name": "检索条目",
                    "constraints": [
                        models.UniqueConstraint(fields=("kind", "ident"), name="search_doc_once")
                    ],
                },
            ),
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="delivery_owed",
        ),
        migrations.RemoveIndex(
            model_name="delivery",
            name="delivery_order",
        ),
        migrations.AddField(
            model_name="delivery",
            name="lane",
            field=models.CharField(
                blank=True,
                help_text="the courier that carries it; empty: a handler of the program",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("handler_gone", "处理程序已不存在"),
                    ("event_gone", "事件无法识别"),
                    ("worker_lost", "后台进程中断"),
                    ("failed", "处理出错"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="skipped",
            field=liangzhu.kernel.sealing.SealedTextField(
                blank=True, help_text="why a person let it go undelivered", max_length=200, owner=""
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="waits",
            field=models.BooleanField(
                default=False,
                help_text="an earlier one of its line was unfinished when it was last looked at",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="words",
            field=liangzhu.kernel.sealing.SealedTextField(
                blank=True, help_text="why the last try failed, in words", max_length=300, owner=""
            ),
        ),
        migrations.AddField(
            model_name="logleaf",
            name="via",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="token of the API; no field of the hash: the details commit to it, this column is for lists",
                max_length=40,
            ),
        ),
        migrations.AlterField(
            model_name="logleaf",
            name="number",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="release",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "草稿"),
                    ("in_force", "生效"),
                    ("superseded", "已被替代"),
                    ("refused", "未通过"),
                    ("withdrawn", "已撤回"),
                ],
                default="draft",
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("dead_at", None), ("done_at", None), ("waits", False)),
                fields=["lane", "due_at", "id"],
                name="delivery_owed",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("done_at", None)),
                fields=["handler", "subject", "id", "done_at"],
                name="delivery_order",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("attempts__gt", 0), ("done_at", None)),
                fields=["id"],
                name="delivery_trouble",
            ),
        ),
        migrations.AddIndex(
            model_name="logleaf",
            index=models.Index(condition=models.Q(("number", None)), fields=["id"], name="log_leaf_waiting"),
        ),
        migrations.AddIndex(
            model_name="logleaf",
            index=models.Index(
                condition=models.Q(("via__gt", "")), fields=["via", "id"], name="log_leaf_via"
            ),
        ),
        migrations.AddConstraint(
            model_name="logleaf",
            constraint=models.UniqueConstraint(
                condition=models.Q(("number__isnull", False)), fields=("number",), name="log_leaf_number"
            ),
        ),
        migrations.RunPython(forwards, backwards),
    ]
