"""Loading the pack: again without effect, newer where nobody touched it, never over what people changed."""

import copy
import logging

import pytest

from liangzhu.beams.people.access import api as access
from liangzhu.beams.people.directory import actions
from liangzhu.beams.people.directory import api as directory
from liangzhu.beams.people.directory.models import Deputy
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.models import LogLeaf
from liangzhu.kernel.pack import PackError, pack


class OtherPack:
    """The district's pack with something changed in it."""

    def __init__(self):
        self.files = {
            name: copy.deepcopy(pack().toml(name))
            for name in ("units.toml", "unit_sets.toml", "accounts.toml")
        }

    def toml(self, name: str) -> dict:
        return self.files[name]

    def unit(self, key: str) -> dict:
        return next(unit for unit in self.files["units.toml"]["unit"] if unit["key"] == key)


@pytest.fixture
def other():
    return OtherPack()


def load(folder) -> None:
    directory.load_units(folder)
    directory.load_people(folder)
    access.load_accounts(folder)


def test_every_name_in_the_pack_arrives(district):
    file = pack().toml("units.toml")
    assert {view.key for view in directory.units().all()} <= {unit["key"] for unit in file["unit"]}
    for row in pack().toml("unit_sets.toml")["set"]:
        assert directory.expand_set(row["text"]).mode == row["mode"]
    for person in pack().toml("accounts.toml")["person"]:
        actor = access.actor_of(person["username"])
        assert directory.post(actor.post_id).key == person["post"][0]["key"]


def test_loading_again_changes_and_logs_nothing(district):
    before = LogLeaf.objects.count()
    load(pack())
    assert LogLeaf.objects.count() == before


def test_a_newer_pack_is_applied_where_nobody_touched_the_unit(district, other):
    other.unit("shenpiju")["spell"][0]["short"] = "区审批局"
    load(other)
    assert directory.units().by_key("shenpiju").short == "区审批局"


def test_what_people_changed_stays_and_the_difference_is_logged_once(district, other, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("liangzhu"), "propagate", True)
    unit = directory.units().by_key("shenpiju")
    actions.name_aliases(SYSTEM, unit_id=unit.id, aliases=["政务办"])
    other.unit("shenpiju")["aliases"] = ["区政务服务办"]
    before = LogLeaf.objects.count()
    with caplog.at_level(logging.WARNING, logger="liangzhu.directory"):
        load(other)
        load(other)
    assert directory.resolve_unit("政务办").id == unit.id
    assert not directory.units().by_name("区政务服务办")
    assert LogLeaf.objects.count() == before + 1
    assert [record for record in caplog.records if "shenpiju" in record.getMessage()][0]


def test_a_post_that_an_administrator_rearranged_stays(district, other):
    head = next(view for view in directory.posts(role="matters.head") if view.key == "shichangju.head")
    actions.change_post(SYSTEM, post_id=head.id, title="党组书记、局长", is_head=True)
    load(pack())
    assert directory.post(head.id).title == "党组书记、局长"


def test_a_stand_in_that_was_withdrawn_does_not_come_back(district):
    row = directory.post(directory.posts_open_to(access.actor_of("shichangju.deputy").person_id)[1].id)
    deputy = access.actor_of("shichangju.deputy", row.key)
    assert deputy.deputy
    actions.end_deputy(SYSTEM, deputy_id=Deputy.objects.get(post=row.id).pk)
    load(pack())
    assert len(directory.posts_open_to(deputy.person_id)) == 1


def test_outside_a_demonstration_no_person_and_no_account_is_loaded(db):
    load(pack())
    assert directory.units().by_key("shenpiju")
    assert not access.Account.objects.exists() and not access.demo_accounts_exist()


def test_in_a_demonstration_the_accounts_are_known_as_such(district):
    assert access.demo_accounts_exist()


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda file: file["unit"][0].update(kind="kingdom"), "kingdom"),
        (lambda file: file["unit"][3]["spell"][0].update(parent="nowhere"), "nowhere"),
        (lambda file: file["unit"].append(file["unit"][0]), "出现两次"),
        (lambda file: file["unit"][0].pop("spell"), "spell"),
        (
            lambda file: file["unit"][0]["spell"].append(dict(file["unit"][0]["spell"][0])),
            "重叠或空档",
        ),
    ],
)
def test_a_spoilt_pack_is_refused_by_name_and_nothing_is_loaded(db, other, spoil, word):
    spoil(other.files["units.toml"])
    with pytest.raises(PackError, match=word):
        directory.load_units(other)
    assert directory.units().all() == []


def test_unknown_units_and_roles_in_the_other_files_are_refused_by_name(district, other):
    other.files["unit_sets.toml"]["set"][0]["members"] = ["nowhere"]
    with pytest.raises(PackError, match="nowhere"):
        directory.load_units(other)
    other.files["accounts.toml"]["person"][0]["post"][0]["roles"] = ["matters.emperor"]
    with pytest.raises(PackError, match=r"matters\.emperor"):
        directory.load_people(other)


def test_the_demonstration_has_no_person_with_roles_that_exclude_each_other(district):
    for person_id in directory.person_ids().values():
        roles = set().union(*(view.roles for view in directory.posts_open_to(person_id)))
        assert directory.clashes(roles) == []
