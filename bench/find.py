"""Finding service items in everyday words: how often the right item comes first, and among the first three.

The list `find_phrasings.toml` was committed before the search was built; `find_later.toml` was written when the search was
ready and never tuned on. Beside: what one would do without it. ``substring``: the phrase within official names, or they within it. ``names``: the share of common pairs of
characters with official names. ``pairs``: the same over names and the catalogue's everyday words, so without meanings, rarity
and forgiveness. ``known`` counts the phrasings that stand word for word in the catalogue.
"""

import tomllib
from datetime import date
from pathlib import Path

from bench._house import home
from bench._report import Row, options, rate, show

HERE = Path(__file__).parent


def phrasings(name: str) -> list[dict]:
    """The phrasings of a list."""
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))["phrasing"]


def right(one: dict, keys: list[str]) -> tuple[bool, bool]:
    """Whether a right item is first, and among the first three."""
    good = {one["item"], *one.get("also", ())}
    return bool(keys and keys[0] in good), bool(good & set(keys[:3]))


def main() -> None:
    """Load the pack into an installation of its own and ask it everything."""
    arguments = options(__doc__)
    with home():
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        settings.LIANGZHU_DEMO_DATE = date(2022, 10, 20)
        call_command("migrate", verbosity=0)
        from liangzhu.beams.people.directory import api as directory
        from liangzhu.kernel.pack import pack
        from liangzhu.kernel.search import terms
        from liangzhu.pillars.services import catalogue, finding
        from liangzhu.pillars.services.queries import items

        directory.load_units(pack())
        catalogue.load_items(pack())
        said = {row.item.key: [row.name, *row.says.splitlines()] for row in items.published()}

        def ours(text: str) -> list[str]:
            return [one.key for one in finding.find(text, limit=3)]

        official = {key: phrases[:1] for key, phrases in said.items()}

        def substring(text: str) -> list[str]:
            return [key for key, (name,) in official.items() if text in name or name in text]

        def by_pairs(text: str, known: dict[str, list[str]]) -> list[str]:
            asked = set(terms(text).stream)
            score = {
                key: max(
                    len(asked & set(terms(one).stream)) / (len(asked | set(terms(one).stream)) or 1)
                    for one in phrases
                )
                for key, phrases in known.items()
            }
            return sorted((key for key in score if score[key]), key=lambda key: -score[key])[:3]

        def names(text: str) -> list[str]:
            return by_pairs(text, official)

        def pairs(text: str) -> list[str]:
            return by_pairs(text, said)

        figures: dict[str, float] = {"items": len(said)}
        for name, title in (("find_phrasings.toml", "before"), ("find_later.toml", "later")):
            asked = phrasings(name)
            spoken = {text for phrases in said.values() for text in phrases}
            figures[f"{title}_asked"] = len(asked)
            figures[f"{title}_known"] = sum(one["say"] in spoken for one in asked)
            for kind, find in (("ours", ours), ("substring", substring), ("names", names), ("pairs", pairs)):
                hits = [right(one, find(one["say"])) for one in asked]
                figures[f"{title}_{kind}_first"] = sum(first for first, _ in hits)
                figures[f"{title}_{kind}_three"] = sum(three for _, three in hits)
        texts = [one["say"] for one in phrasings("find_phrasings.toml")]
        seconds = 2.0 if arguments.quick else 8.0

        def all_of(find) -> float:
            return len(texts) * rate(lambda: [find(text) for text in texts], seconds=seconds / 2)

        mine, theirs = all_of(ours), all_of(pairs)
        show(
            "Finding service items in everyday words",
            [
                Row("searches", mine, "pairs of characters", mine / theirs),
                Row("searches by pairs of characters alone", theirs),
            ],
            arguments,
            **figures,
        )


if __name__ == "__main__":
    main()
