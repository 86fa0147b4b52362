"""The province's adapter by itself: what `doctor` says, what the simulator asks for, and that it stays on this machine."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from liangzhu.adapters.province_identity.client import Province
from liangzhu.adapters.province_identity.simulator import make
from liangzhu.adapters.province_identity.wording import DEMO_CLIENT, DEMO_SECRET, Wording, WordingError
from liangzhu.kernel import neighbours
from liangzhu.kernel.neighbours import Neighbour
from liangzhu.kernel.pack import pack
from liangzhu.kernel.simulating import NotLoopback, listen, serving
from liangzhu.site import cli, simulators
from liangzhu.site import serving as site_serving

PACK = Path(__file__).resolve().parents[2] / "packs" / "haizhou"


@pytest.fixture
def simulator():
    return make(PACK)


def test_doctor_hears_how_things_stand(simulator):
    with serving(simulator) as address:
        one = Province(address, DEMO_CLIENT, DEMO_SECRET, simulator.wording, seconds=1, rest=0)
        assert [report.level for report in one.check_config()] == ["warn", "warn", "good"]
        simulator.faults.wrong = "fault"
        assert [report.level for report in one.check_config()][-1] == "bad"
    away = Province("http://province.example", "", "", simulator.wording, seconds=0.1)
    away._down_until = float("inf")
    reports = list(away.check_config())
    assert [report.level for report in reports] == ["bad", "bad", "warn", "bad"]
    assert not away.simulated


def test_the_simulator_gives_nothing_for_a_stranger_or_for_a_code_without_its_secrets(simulator):
    with serving(simulator) as address:
        for query in ("", f"?client_id={DEMO_CLIENT}&redirect_uri=https://evil.example/"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{address}/authorize{query}", timeout=5)
            assert refused.value.code == 400 and "Location" not in refused.value.headers
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{address}/token", b"code=guessed", timeout=5)
        assert refused.value.code == 401


def test_its_people_and_faults_are_set_over_config(simulator):
    with serving(simulator) as address:

        def post(body: dict):
            asked = urllib.request.Request(
                f"{address}/config", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            return json.load(urllib.request.urlopen(asked, timeout=5))

        assert post({"delay": 0.01, "wrong": "nonce"}) == {"delay": 0.01, "silent": False, "wrong": "nonce"}
        post({"people": [{"key": "a", "name": "甲某", "number": "329999198803121026", "level": 1}]})
        assert list(simulator.people) == ["a"] and simulator.firms == []
        with pytest.raises(urllib.error.HTTPError):
            post({"wrong": "unknown"})
        page = urllib.request.urlopen(f"{address}/config", timeout=5).read().decode()
        assert "模拟" in page and "身份凭证的签名不对" in page


def test_a_wording_with_a_symmetric_algorithm_is_refused():
    given = pack().toml("identity.toml")
    with pytest.raises(WordingError, match="HS256"):
        Wording.read({**given, "algorithms": ["ES256", "HS256"]})
    with pytest.raises(WordingError, match="claims"):
        Wording.read({name: value for name, value in given.items() if name != "claims"})


class TestLoopback:
    def test_a_simulator_listens_on_this_machine_only(self, simulator):
        with pytest.raises(NotLoopback):
            listen(simulator, "0.0.0.0")

    def test_the_command_refuses_the_network_and_lists_what_there_is(self, capsys):
        with pytest.raises(SystemExit) as ended:
            cli.main.main(args=["simulate", "province-identity", "--host", "0.0.0.0"], prog_name="liangzhu")
        assert ended.value.code == 1 and "只能在本机使用" in capsys.readouterr().err
        with pytest.raises(SystemExit):
            cli.main.main(args=["simulate"], prog_name="liangzhu")
        assert "province-identity" in capsys.readouterr().out

    def test_the_product_stays_on_this_machine_while_a_simulator_stands_for_a_neighbour(
        self, db, monkeypatch
    ):
        monkeypatch.setattr(neighbours, "_neighbours", {})
        neighbours.neighbour(Neighbour("toy", "某邻居", lambda: iter(()), simulated=True))
        assert "某邻居用的是模拟器" in site_serving.unsafe()

    def test_a_demonstration_starts_one_for_every_neighbour_that_is_not_set_up(self, monkeypatch):
        for name in ("LIANGZHU_IDENTITY", "LIANGZHU_IDENTITY_CLIENT", "LIANGZHU_IDENTITY_SECRET"):
            monkeypatch.setenv(name, "")
        commands = [words for words in simulators.beside(avoid=8101) if "province-identity" in words]
        assert len(commands) == 1 and "8101" not in commands[0]
        monkeypatch.setenv("LIANGZHU_IDENTITY", "https://province.example")
        assert not [words for words in simulators.beside(avoid=1) if "province-identity" in words]


def test_a_simulator_works_without_django():
    code = (
        "import sys\n"
        "from liangzhu.site import simulators\n"
        "simulators.all_simulators()['province-identity']\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'django'], 'Django was loaded'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
