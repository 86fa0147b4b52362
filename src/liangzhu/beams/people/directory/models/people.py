"""Persons, posts, who holds them and who stands in. Spans are half-open: ``valid_from`` counts, ``valid_to`` does not."""

from django.db import models
from django.db.models import F, Q

from liangzhu.beams.people.directory.models.units import SLUG
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.sealing import SealedTextField


class Person(models.Model):
    """A member of staff (工作人员). ``demo`` marks an invented person of a demonstration."""

    name = models.CharField(max_length=40)
    demo = models.BooleanField(default=False)

    class Meta:
        verbose_name = "人员"

    @property
    def ref(self) -> Ref:
        """The reference of this person."""
        return Ref("person", str(self.pk))


class Post(models.Model):
    """A post in a unit (岗位). Duties belong to the post, not to the person. From ``closed_on`` it is no more."""

    key = models.CharField(max_length=60, unique=True, validators=[SLUG])
    unit = models.ForeignKey("directory.Unit", on_delete=models.PROTECT, related_name="posts")
    title = models.CharField(max_length=60)
    is_head = models.BooleanField(default=False)
    closed_on = models.DateField(null=True)

    class Meta:
        verbose_name = "岗位"

    @property
    def ref(self) -> Ref:
        """The reference of this post."""
        return Ref("post", str(self.pk))


class PostRole(models.Model):
    """A role (角色) that a post carries; its code is declared by the app that asks for it."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=60)

    class Meta:
        verbose_name = "岗位角色"
        constraints = [models.UniqueConstraint(fields=["post", "role"], name="post_role_once")]
        indexes = [models.Index(fields=["role"])]


class Holding(models.Model):
    """That a person holds a post (任职). One person at a time."""

    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="holdings")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="holdings")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        verbose_name = "任职"
        ordering = ["post_id", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["post", "valid_from"], name="holding_one_start"),
            models.UniqueConstraint(fields=["post"], condition=Q(valid_to=None), name="holding_one_open"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="holding_not_empty"
            ),
        ]


class Deputy(models.Model):
    """That a person stands in for the holder of a post for some days (代理), with the reason."""

    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="deputies")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="deputies")
    valid_from = models.DateField()
    valid_to = models.DateField()
    reason = SealedTextField(owner="", max_length=200)

    class Meta:
        verbose_name = "代理"
        ordering = ["post_id", "valid_from"]
        constraints = [
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="deputy_not_empty"),
        ]

    @property
    def ref(self) -> Ref:
        """The reference of this stand-in."""
        return Ref("deputy", str(self.pk))
