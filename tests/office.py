"""Somebody in office, as tests of several areas put one there."""

from dataclasses import dataclass

from django.test import Client

from liangzhu.beams.people.access import api as access


@dataclass(frozen=True)
class Someone:
    """A member of staff with an account; ``unit``, ``person``, ``post`` where whoever made it knows them."""

    account: object
    unit: object = None
    person: object = None
    post: object = None

    @property
    def username(self) -> str:
        return self.account.username

    @property
    def actor(self):
        return access.actor_of(self.username)

    @property
    def client(self) -> Client:
        """A browser in which this person has signed in."""
        client = Client()
        client.force_login(self.account)
        return client
