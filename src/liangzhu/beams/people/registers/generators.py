"""Generating residents and organisations: made-up names that say so, numbers of a region that does not exist."""

from datetime import date, timedelta
from random import Random

from django.db import transaction

from liangzhu.beams.people.registers import policies
from liangzhu.beams.people.registers.models import Mandate, NaturalPerson, Organisation, OrganisationName
from liangzhu.kernel import identifiers, keys, search
from liangzhu.kernel.actions import Act, action
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.generating import MADE_UP, Book, District, generator, made_up_name
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref

REGION = "329999"
"""A region code of Jiangsu that GB/T 2260 never gave out: no such number is anybody's."""

RESIDENTS_PER_PERSON, PERSONS_PER_ORGANISATION = 10, 8
"""One in ten residents has had business with the district; one organisation for eight of them."""

BATCH = 2000
_BORN_FIRST, _DAYS, _STRIDE = date(1940, 1, 1), 24_000, 7919
_LINES = ("商贸", "餐饮", "物流", "口腔门诊", "体育健身", "建筑", "信息技术", "文化传媒")
_WORDS = "润禾泰和瑞丰安达恒信嘉诚博远宏图金穗众合海晟华茂永盛鑫源"
_FORMS = ("有限公司", "有限责任公司", "股份有限公司")
_STREETS = ("临河", "望山", "东关", "学前", "盐渡", "新桥")
_ROADS = ("青松", "建设", "朝晖", "文昌", "解放", "郁金", "海棠", "富民", "学府", "通灌")

PHONE = 1410
"""The beginning of made-up telephone numbers, with seven more digits. China keeps no range free for made-up people. The plan of
numbers (工信部信管〔2017〕68号) gives 14(0) and 14(1) to machines, whose numbers have 13 digits and take no calls; one of 11
digits with this beginning reaches nobody, and passes as a telephone number in forms. That the ministry may give the range out
anew one day cannot be ruled out (待确认).
"""


def _wanted(district: District) -> int:
    return max(20, district.people // RESIDENTS_PER_PERSON)


def _made() -> int:
    return NaturalPerson.objects.filter(source="made_up").exclude(pk__in=_demo_persons().values()).count()


def _told() -> dict:
    """The residents of the demonstration, whom the simulator of the province lets sign in; nobody without such a file."""
    return pack().toml("residents.toml") if (pack().folder / "residents.toml").exists() else {}


def _demo_persons() -> dict[str, int]:
    """Those of them that are registered, by their keys in the pack: demonstration certificates may have brought some."""
    told = _told().get("person", ())
    rows = NaturalPerson.objects.filter(document_blind__in=[one["number"] for one in told])
    known = dict(rows.values_list("document_blind", "id"))
    tokens = {one["key"]: keys.blind("person.document", one["number"]) for one in told}
    return {key: known[token] for key, token in tokens.items() if token in known}


def _demo_firms() -> dict[str, int]:
    codes = [one["uscc"] for one in _told().get("enterprise", ())]
    return dict(Organisation.objects.filter(uscc__in=codes).order_by("id").values_list("uscc", "id"))


def _all_there(district: District) -> bool:
    told = _told()
    return len(_demo_persons()) == len(told.get("person", ())) and len(_demo_firms()) == len(
        told.get("enterprise", ())
    )


@generator("registers.residents", order=14, done=_all_there)
def residents(district: District) -> None:
    """Those who can sign in to a demonstration: registered first, so that they have matters of their own to look at."""
    generate_residents(SYSTEM, day=district.first.date())


@action("registers.generate_residents")
def generate_residents(act: Act, *, day: date) -> None:
    """Register the residents of the demonstration and what they represent (登记演示用的虚构居民)."""
    act.check(policies.keep_time)
    book, known, firms = Book(None), _demo_persons(), _demo_firms()
    persons, organisations = [], []
    for one in _told().get("person", ()):
        number = one["number"]
        if one["key"] in known:
            continue
        known[one["key"]] = key = book[NaturalPerson].add(
            name=one["name"],
            document_kind="citizen_id",
            document_number=number,
            document_blind=number,
            birth=f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
            sex="male" if int(number[16]) % 2 else "female",
            source="made_up",
            as_of=day,
            touched_on=day,
        )
        persons.append(search.Doc(key, (one["name"],), ()))
    for one in _told().get("enterprise", ()):
        if one["uscc"] in firms:
            continue
        key = book[Organisation].add(
            uscc=one["uscc"],
            name=one["name"],
            kind="enterprise",
            legal_representative_id=known[one["legal"]],
            source="made_up",
            as_of=day,
        )
        book[OrganisationName].add(organisation_id=key, name=one["name"], valid_from=day)
        organisations.append(search.Doc(key, (one["name"],), ()))
    book.write()
    search.index_many("natural_person", persons)
    search.index_many("organisation", organisations)
    act.log(Ref("district", "residents"), persons=len(persons), organisations=len(organisations))


@generator("registers.people", order=15, done=lambda district: _made() >= _wanted(district))
def people(district: District) -> None:
    """Residents, organisations that they represent, and mandates of those; goes on where it was interrupted."""
    wanted = _wanted(district)
    while (done := _made()) < wanted:
        generate_people(SYSTEM, district=district, first=done, count=min(BATCH, wanted - done))
        district.say(f"自然人 {min(done + BATCH, wanted)} / {wanted}")


@action("registers.generate_people")
def generate_people(act: Act, *, district: District, first: int, count: int) -> None:
    """Write some persons in bulk (生成虚构自然人和组织), numbered from ``first`` on."""
    act.check(policies.keep_time)
    rng = district.random("people", first)
    book, day = Book(rng), district.first.date()
    persons, organisations = [], []
    for n in range(first, first + count):
        born = _BORN_FIRST + timedelta(days=n * _STRIDE % _DAYS)
        number = identifiers.complete("person", f"{REGION}{born:%Y%m%d}{_serial(n):03}")
        sex = "male" if int(number[16]) % 2 else "female"
        name = made_up_name(rng, sex=sex)
        key = book[NaturalPerson].add(
            name=name,
            document_kind="citizen_id",
            document_number=number,
            document_blind=number,
            phone=(phone := f"{PHONE}{n:07}"),
            phone_blind=phone,
            address=_address(rng),
            birth=born.isoformat(),
            sex=sex,
            source="made_up",
            as_of=day,
            touched_on=day,
        )
        persons.append(search.Doc(key, (name,), ()))
        if n % PERSONS_PER_ORGANISATION == 0:
            organisations.append(_organisation(book, n, key, rng, day))
    with transaction.atomic():
        book.write()
        search.index_many("natural_person", persons)
        search.index_many("organisation", organisations)
    act.log(NaturalPerson(pk=persons[0].ident).ref, persons=len(persons), organisations=len(organisations))


def _serial(n: int) -> int:
    """The serial number of the ``n``-th person, different for all who were born on one day; 1 to 499."""
    return (n // _DAYS + n * _STRIDE % _DAYS * 389) % 499 + 1


def _address(rng: Random) -> str:
    """Where somebody lives in a town that does not exist."""
    return (
        f"虚构市虚构区{rng.choice(_STREETS)}街道{rng.choice(_ROADS)}路{rng.randint(1, 320)}号"
        f"{rng.randint(1, 28)}幢{rng.randint(1, 18)}0{rng.randint(1, 4)}室"
    )


def _trade_name(n: int) -> str:
    """The ``n``-th of the names that enterprises choose; no two are equal."""
    size = len(_WORDS)
    again, place = divmod(n, size**3)
    words = place * _STRIDE % size**3
    chosen = _WORDS[words % size] + _WORDS[words // size % size] + _WORDS[words // size**2]
    return f"{chosen}{_LINES[n % len(_LINES)]}{_FORMS[again % len(_FORMS)]}{MADE_UP}"


def _organisation(book: Book, n: int, person: int, rng: Random, day: date) -> search.Doc:
    """One organisation, represented by one person, with another one as its agent (经办人)."""
    name = _trade_name(n // PERSONS_PER_ORGANISATION)
    key = book[Organisation].add(
        uscc=identifiers.complete("enterprise", f"91{REGION}{n:08}"),
        name=name,
        kind="enterprise",
        legal_representative_id=person,
        address=_address(rng),
        source="made_up",
        as_of=day,
    )
    book[OrganisationName].add(organisation_id=key, name=name, valid_from=day)
    if n:
        book[Mandate].add(
            principal=f"organisation:{key}",
            agent=f"natural_person:{person - 1}",
            capacity="company_agent",
            scope_kind=Mandate.ALL,
            asked_by=Mandate.PRINCIPAL,
            valid_from=day,
            valid_to=day + timedelta(days=365 * rng.randint(3, 8)),
            basis="虚构的授权委托书",
            confirmed_on=day,
            evidence="虚构",
        )
    return search.Doc(key, (name,), ())


def made_up_parties() -> dict[str, list[int]]:
    """The ids of everybody whom this shelf has registered, by kind of Ref: whoever applies for made-up matters."""
    return {
        kind: list(model.objects.filter(source="made_up").order_by("id").values_list("id", flat=True))
        for kind, model in (("natural_person", NaturalPerson), ("organisation", Organisation))
    }


def demo_parties() -> dict[str, list[int]]:
    """Those of them as whom or for which one can sign in to a demonstration."""
    return {
        "natural_person": sorted(_demo_persons().values()),
        "organisation": sorted(_demo_firms().values()),
    }
