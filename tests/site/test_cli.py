"""The command line: what it prints, and the exit status that says it."""

import json
import os
import subprocess
import sys
from datetime import date

import pytest

from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.calendar import override_day
from liangzhu.kernel.now import at
from liangzhu.site import cli, config

PLAN = """关于推进某项工作的实施方案

一、主要任务
1. 开展甲项工作。年内完成覆盖率85%以上。（责任单位：甲局、乙局）
2. 开展乙项工作。10月底前完成。（责任单位：乙局、各有关部门）
3. 开展丙项工作。（责任单位：丙局）
"""


@pytest.fixture
def run(capsys):
    """Run a command in this process: (exit status, output, error output)."""

    def call(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main.main(args=list(words), prog_name="liangzhu")
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


@pytest.fixture
def bare(monkeypatch):
    """No database that a command could look into."""
    monkeypatch.setattr(cli, "_local_days", dict)


class TestIdentifiers:
    VALID = [
        ("person", "11010519491231002x", "出生日期：1949-12-31"),
        ("enterprise", "91350100M000100Y43", "机构类别：企业"),
        ("organisation", "M000100Y4", "代码：M000100Y-4"),
        (
            "certificate",
            "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
            "流水号：20230000403",
        ),
        ("item", "320706010001", "形式：基本编码"),
    ]

    @pytest.mark.parametrize(("kind", "value", "part"), VALID)
    def test_a_valid_number_shows_its_parts(self, run, kind, value, part):
        status, out, err = run("id", "check", kind, value)
        assert (status, err) == (0, "")
        assert part in out

    def test_every_kind_has_an_example_here(self):
        assert {kind for kind, _, _ in self.VALID} == set(cli.PARTS)

    def test_an_invalid_number_names_the_wrong_part(self, run):
        status, out, err = run("id", "check", "person", "110105194902310021")
        assert (status, out) == (1, "")
        assert "出生日期" in err
        assert "请对照原件" in err

    def test_a_birth_to_come_is_refused(self, run):
        with at("1949-12-30"):
            assert run("id", "check", "person", "11010519491231002X")[0] == 1

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["id", "check", "passport", "x"], "person、enterprise"),
            (["id", "check", "person"], "缺少 VALUE"),
            (["id", "check", "person", "1", "--fast"], "没有选项 --fast"),
            (["id", "guess"], "没有命令 guess"),
            (["id", "check", "person", "1", "2"], "参数太多"),
            (["up", "--port"], "选项 --port 缺少值"),
            (["up", "--port", "70000"], "超出范围"),
        ],
    )
    def test_wrong_use_is_said_in_chinese(self, run, words, says):
        status, _, err = run(*words)
        assert status == 2
        assert says in err

    def test_the_answer_comes_without_an_installation(self, tmp_path):
        home = tmp_path / "home"
        script = (
            "import sys; from liangzhu.site.cli import main\n"
            "try: main()\n"
            "except SystemExit as end: print(end.code, 'django.db' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, "id", "check", "person", "11010519491231002X"],
            env=os.environ | {"LIANGZHU_HOME": str(home)},
            capture_output=True,
            text=True,
        )
        assert done.stdout.splitlines()[-1] == "0 False", done.stderr
        assert not home.exists()


class TestWorkdays:
    @pytest.mark.parametrize(
        ("start", "count", "due"),
        [
            ("2022-09-26", "5", "2022-10-08"),
            ("2022-10-20", "-3", "2022-10-17"),
            ("2022-10-01", "0", "2022-10-08"),
        ],
    )
    def test_the_due_date_is_printed(self, run, bare, start, count, due):
        status, out, _ = run("workdays", "add", start, count)
        assert status == 0
        assert out.splitlines()[0] == due

    def test_days_on_the_way_that_do_not_count_are_named(self, run, bare):
        _, out, _ = run("workdays", "add", "2022-09-30", "1")
        assert "2022-10-03 不计：国庆节放假" in out
        assert "2022-10-08 上班：国庆节调休上班" in out

    def test_beyond_the_published_calendar_the_answer_is_provisional(self, run, bare):
        assert "暂定" in run("workdays", "add", "2026-12-30", "20")[1]
        assert "暂定" not in run("workdays", "add", "2022-10-20", "20")[1]

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["2022-02-30", "1"], "不是日期"),
            (["2022-10-20", "many"], "不是整数"),
            (["2022-10-20", "99999"], "超出范围"),
        ],
    )
    def test_an_impossible_question_is_named(self, run, bare, words, says):
        status, _, err = run("workdays", "add", *words)
        assert status == 2
        assert says in err

    def test_the_districts_own_days_count(self, run, db, monkeypatch):
        override_day(SYSTEM, day=date(2022, 10, 21), workday=False, reason="大厅搬迁", source="通告")
        monkeypatch.setattr(config, "read", lambda name: "there is one")
        status, out, _ = run("workdays", "add", "2022-10-20", "1")
        assert out.splitlines() == ["2022-10-24", "  2022-10-21 不计：大厅搬迁"]


class TestPlan:
    def test_the_facts_come_as_json(self, run, tmp_path):
        (tmp_path / "plan.txt").write_text(PLAN)
        status, out, _ = run("plan", "read", str(tmp_path / "plan.txt"), "--json")
        found = json.loads(out)
        assert status == 0
        assert list(found) == ["number", "title", "issuer", "date", "cites", "articles", "doubts"]
        assert [article["lead"] for article in found["articles"]] == ["甲局", "乙局", "丙局"]

    def test_the_facts_come_in_words(self, run, tmp_path):
        (tmp_path / "plan.txt").write_text(PLAN)
        status, out, _ = run("plan", "read", str(tmp_path / "plan.txt"))
        assert status == 0
        assert "共 3 条，其中 3 条有责任单位" in out
        assert "牵头 乙局；配合 各有关部门" in out

    def test_the_real_plan_has_its_24_articles(self, run, shared):
        status, out, _ = run("plan", "read", str(shared / "plan" / "haizhou-2022-114.txt"), "--json")
        found = json.loads(out)
        assert (status, len(found["articles"])) == (0, 24)

    def test_a_text_that_is_no_plan_is_told_apart_from_a_file_that_cannot_be_read(self, run, tmp_path):
        (tmp_path / "poem.txt").write_text("床前明月光，疑是地上霜。" * 20)
        (tmp_path / "empty.txt").write_text("")
        assert run("plan", "read", str(tmp_path / "poem.txt"))[0] == 3
        for name in ("empty.txt", "absent.txt"):
            status, out, err = run("plan", "read", str(tmp_path / name))
            assert (status, out) == (2, "")
            assert "请" in err


class TestProcess:
    def test_a_process_in_force_and_a_file_are_drawn(self, run, root, district_processes):
        status, out, _ = run("process", "draw", "plan_task")
        assert status == 0
        assert out.lstrip().startswith("<svg")
        file = next((root / "src").glob("liangzhu/pillars/*/processes/plan_task.toml"))
        status, out, _ = run("process", "draw", str(file), "--format", "mermaid")
        assert status == 0
        assert "stateDiagram" in out or "flowchart" in out

    def test_a_process_goes_out_as_bpmn_and_comes_back(self, run, tmp_path, district_processes):
        status, out, _ = run("process", "draw", "plan_task", "--format", "bpmn")
        assert status == 0
        drawing = tmp_path / "plan_task.bpmn"
        drawing.write_text(out, encoding="utf-8")
        status, text, _ = run("process", "read", str(drawing))
        assert status == 0
        file = tmp_path / "plan_task.toml"
        file.write_text(text, encoding="utf-8")
        assert run("process", "read", str(file)) == (0, text, "")

    def test_a_faulty_drawing_is_named_by_line(self, run, tmp_path, db):
        drawing = tmp_path / "x.bpmn"
        drawing.write_text("<x>\n", encoding="utf-8")
        status, out, err = run("process", "read", str(drawing))
        assert (status, out) == (1, "") and "第 2 行" in err

    @pytest.mark.parametrize("what", ["no_such_process", "absent.toml"])
    def test_what_cannot_be_drawn_is_named(self, run, db, what):
        status, out, err = run("process", "draw", what)
        assert (status, out) == (1, "")
        assert err


@pytest.mark.usefixtures("db")
class TestFormsAndRules:
    """The files beside the tests of forms and decision tables."""

    def test_a_sound_rule_is_checked_asked_and_taken_to_dmn_and_back(self, run, root, tmp_path):
        file = str(root / "tests" / "work" / "rules" / "clinic_route.json")
        assert run("rule", "check", file)[:2] == (
            0,
            "《开办门诊部、诊所走哪条路》通过检查：6 行，6 个例子都成立。\n",
        )
        status, out, _ = run("rule", "ask", file, '{"kind": "clinic", "xray": false}', "--on", "2022-06-01")
        assert status == 0 and "办理方式：备案" in out and "第 3 行 采用" in out and "第 1 行 差一点" in out
        dmn = tmp_path / "route.dmn"
        dmn.write_text(run("rule", "export", file)[1], encoding="utf-8")
        back = tmp_path / "clinic_route.json"
        back.write_text(run("rule", "import", str(dmn))[1], encoding="utf-8")
        assert run("rule", "check", str(back))[0] == 0

    def test_an_unsound_file_is_refused_with_its_line(self, run, root, tmp_path):
        text = (root / "tests" / "work" / "rules" / "clinic_route.json").read_text(encoding="utf-8")
        file = tmp_path / "clinic_route.json"
        file.write_text(text.replace("2022-04-30", "2022-04-29", 1), encoding="utf-8")
        status, _, said = run("rule", "check", str(file))
        assert status == 1 and f"{file}:15" in said and "没有一行说到" in said

    def test_a_form_is_checked_and_shown(self, run, tmp_path):
        file = tmp_path / "toy.json"
        field = '{"name": "a", "type": "yesno", "label": "甲", "required": true}'
        file.write_text(
            f'{{"key": "toy", "title": "示例", "steps": [{{"name": "s", "title": "一步", "fields": [{field}]}}]}}'
        )
        assert run("form", "check", str(file))[:2] == (0, "《示例》通过检查：1 步，1 个填写项。\n")
        assert "a  甲：是否；必填" in run("form", "show", str(file))[1]
        file.write_text(file.read_text().replace("yesno", "perhaps"))
        status, _, said = run("form", "check", str(file))
        assert status == 1 and "perhaps" in said

    def test_wrong_input_is_told_in_chinese(self, run, root):
        file = str(root / "tests" / "work" / "rules" / "clinic_route.json")
        assert "请给出机构类别" in run("rule", "ask", file)[2]
        assert "JSON 对象" in run("rule", "ask", file, "nonsense")[2]
