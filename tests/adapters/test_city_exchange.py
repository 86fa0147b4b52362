"""The city's exchange over real HTTP: signed both ways, within its time, told apart when it is slow, wrong, silent or forged."""

import http.client
import json
import time

import pytest

from liangzhu.adapters.city_exchange import neighbour, signing
from liangzhu.adapters.city_exchange.client import Exchange
from liangzhu.adapters.city_exchange.simulator import RESOURCES, CitySimulator, made_up
from liangzhu.beams.people.registers.models import NaturalPerson
from liangzhu.beams.trust.sources import api as sources
from liangzhu.beams.trust.sources.models import Pull
from liangzhu.kernel import crypto, neighbours
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.pack import pack
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.simulating import serving

LAW = "《医师法》第十三条"
NUMBER = "11010519491231002X"
KEY, PUBLIC = crypto.generate_keypair()


@pytest.fixture(scope="module")
def city():
    simulator = CitySimulator(key=crypto.generate_keypair()[0], node_keys={"node-1": PUBLIC})
    with serving(simulator) as address:
        simulator.address = address
        yield simulator


@pytest.fixture
def exchange(city):
    configure(city, reset=True)
    made = Exchange(city.address, node="node-1", key=KEY, public=city.public, seconds=1)
    forget()
    neighbour.declare(made)
    yield made
    configure(city, reset=True)
    forget()
    neighbour.declare(None)


def forget():
    for key in list(sources.all_sources()):
        if key.startswith("exchange."):
            sources.drop(key)


def configure(city, **told):
    connection = http.client.HTTPConnection(city.address.removeprefix("http://"), timeout=5)
    sent = json.dumps(told, ensure_ascii=False).encode()
    connection.request("POST", "/config", sent, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


@pytest.fixture
def person(db):
    return NaturalPerson.objects.create(
        name="欧阳竹青",
        document_kind="citizen_id",
        document_number=NUMBER,
        source="counter",
        as_of="2022-10-01",
        touched_on="2022-10-01",
    )


def pull(person, resource="doctor", fields=("level", "scope", "valid")):
    return sources.pull(
        SYSTEM,
        source=f"exchange.{resource}",
        subject=person.ref,
        fields=list(fields),
        purpose="核对医师资格",
        case=Ref("toy", "1"),
        legal_basis=LAW,
    )


DOCTOR = {NUMBER: {"doctor": {"level": "执业医师", "scope": "口腔专业", "valid": True, "place": "某门诊"}}}


def test_a_pull_goes_signed_to_the_city_and_its_record_says_what_ours_says(city, exchange, person):
    configure(city, people=DOCTOR)
    found = pull(person)
    assert found.values == {"level": "执业医师", "scope": "口腔专业", "valid": True}
    (asked,) = city.asked
    assert asked["subject"] == {"kind": "citizen_id", "number": NUMBER}
    assert (asked["fields"], asked["purpose"], asked["case"], asked["ground"]) == (
        ["level", "scope", "valid"],
        "核对医师资格",
        "toy:1",
        LAW,
    )


def test_whom_the_holder_does_not_know_is_told_apart(city, exchange, person):
    with pytest.raises(sources.NothingHeld):
        pull(person)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"wrong": "values"}, sources.SourceWrong),
        ({"wrong": "extra"}, sources.SourceWrong),
        ({"wrong": "signature"}, sources.SourceWrong),
        ({"wrong": "down"}, sources.SourceDown),
        ({"delay": 3}, sources.SourceDown),
        ({"silent": True}, sources.SourceDown),
        ({"wrong": "drip"}, sources.SourceDown),
    ],
    ids=lambda one: "-".join(map(str, next(iter(one.items())))) if isinstance(one, dict) else "",
)
def test_every_fault_has_its_name_and_takes_no_longer_than_its_time(city, exchange, person, fault, error):
    configure(city, people=DOCTOR, only=["doctor"], **fault)
    began = time.monotonic()
    with pytest.raises(error) as raised:
        pull(person)
    assert time.monotonic() - began < 2
    assert "工作人员核验" in raised.value.todo
    row = Pull.objects.get()
    assert (row.outcome, row.receipt) == (raised.value.outcome, raised.value.receipt_id)
    # The others go on.
    assert pull(person, "social_insurance", ["insured"]).values == {"insured": True}


def test_nobody_listens_there(exchange, person):
    gone = Exchange("http://127.0.0.1:9", node="node-1", key=KEY, public=PUBLIC, seconds=1)
    with pytest.raises(sources.SourceDown, match="连接不上"):
        gone.resources("request-1")


def test_a_node_that_is_not_known_or_signs_with_another_key_is_not_served(city, exchange):
    other, _ = crypto.generate_keypair()
    for node, key in (("node-2", KEY), ("node-1", other)):
        stranger = Exchange(city.address, node=node, key=key, public=city.public, seconds=1)
        with pytest.raises(sources.SourceWrong):
            stranger.resources("request-1")


def test_the_same_signed_question_is_answered_once(city, exchange):
    path = "/v1/resources"
    made = signing.sign_request(
        KEY, "GET", path, b"", node="node-1", timestamp=signing.stamp(), request_id="request-1"
    )
    said = []
    for _ in range(2):
        connection = http.client.HTTPConnection(city.address.removeprefix("http://"), timeout=5)
        connection.request("GET", path, headers=made.headers)
        said.append(connection.getresponse().status)
        connection.close()
    assert said == [200, 409]


def test_an_answer_to_another_question_is_not_believed(city):
    body, stamp = b"{}", signing.stamp()
    text = signing.answer_text(200, body, request_id="r", nonce="first", timestamp=stamp)
    headers = {"X-Timestamp": stamp, "X-Signature": crypto.sign(city.key, text).hex()}
    signing.check_answer(city.public, 200, body, headers, request_id="r", nonce="first")
    for changed in ({"nonce": "second"}, {"request_id": "q"}):
        with pytest.raises(signing.BadSignature):
            signing.check_answer(
                city.public, 200, body, headers, **({"request_id": "r", "nonce": "first"} | changed)
            )


def test_busy_once_is_asked_again_under_the_same_request_id(city, exchange):
    configure(city, busy=1)
    assert set(exchange.resources("request-7")) == set(RESOURCES)
    assert city.refused == ["request-7"]
    configure(city, busy=2)
    with pytest.raises(sources.SourceDown, match="503"):
        exchange.resources("request-8")
    assert city.refused[1:] == ["request-8", "request-8"]


def test_the_doctor_says_how_it_stands(city, exchange, monkeypatch):
    declared = {key for key in sources.all_sources() if key.startswith("exchange.")}
    assert {one.removeprefix("exchange.") for one in declared} == set(RESOURCES)
    check = neighbour.checker(exchange, declared)
    assert [report.level for report in check()] == ["good"]
    assert [report.level for report in neighbour.checker(exchange, declared | {"exchange.moon"})()] == [
        "warn",
        "good",
    ]
    configure(city, wrong="signature")
    assert [report.level for report in check()] == ["bad"]
    configure(city, wrong="down")
    (report,) = check()
    assert (report.level, "工作人员核验" in report.todo) == ("bad", True)


def test_while_it_is_off_its_resources_are_known_and_say_so(person):
    with pytest.raises(sources.SourceDown, match="没有启用") as raised:
        pull(person)
    assert "不用您提交" in raised.value.todo


def test_switching_it_on_needs_node_and_keys(settings):
    from django.core.exceptions import ImproperlyConfigured

    with pytest.raises(ImproperlyConfigured, match="LIANGZHU_EXCHANGE_KEY"):
        neighbour.switch_on("http://127.0.0.1:9", node="node-1", key=None, public=PUBLIC, seconds=1)
    with pytest.raises(ImproperlyConfigured, match="https"):
        neighbour.switch_on("127.0.0.1", node="node-1", key=KEY, public=PUBLIC, seconds=1)
    assert neighbour.KEY not in neighbours.all_neighbours()


def test_the_demonstration_of_the_pack_holds_what_the_pack_declares(root):
    declared = {
        one["key"]: {item["name"] for item in one["field"]}
        for one in pack().toml("exchange.toml")["resource"]
    }
    held = made_up(root / "packs" / "haizhou")
    assert held
    for resources_of in held.values():
        for resource, values in resources_of.items():
            assert values.keys() <= declared[resource]
