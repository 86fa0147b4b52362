"""Ways from a person's page to pages of the apps above: they register here, nobody below imports them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PersonLink:
    """A labelled route that takes a person's id, shown to those whom the policy allows."""

    label: str
    url: str
    policy: str


_links: list[PersonLink] = []


def add_person_link(label: str, url: str, policy: str) -> None:
    """Show ``label`` on every person's page, leading to the route ``url`` with the person's id."""
    link = PersonLink(label, url, policy)
    if link not in _links:
        _links.append(link)


def person_links() -> list[PersonLink]:
    """All registered links."""
    return list(_links)
