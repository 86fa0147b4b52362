"""What can be found by its words."""

from django.db import models


class SearchDoc(models.Model):
    """One thing in the search index: number ``ident`` of ``kind``. Its own number grows with time: the order of hits.

    The words themselves, as keyed tokens, lie where Django does not look: in the FTS5 table ``kernel_searchtext``
    (SQLite), or in the columns ``scope`` and ``words`` of this table (PostgreSQL). See `kernel.search`.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40)
    ident = models.BigIntegerField()

    class Meta:
        verbose_name = "检索条目"
        constraints = [models.UniqueConstraint(fields=["kind", "ident"], name="search_doc_once")]
