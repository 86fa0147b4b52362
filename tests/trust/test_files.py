"""Files of certificates and papers, and what anybody finds out from them: on the site, and offline."""

import io
import json
import subprocess
import sys
from datetime import date

import pypdfium2
import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from liangzhu.beams.trust.certificates import actions, drawing, files, papers, queries, verifying
from liangzhu.beams.trust.certificates import api as certificates
from liangzhu.beams.trust.certificates.models import Certificate, Paper
from liangzhu.beams.work.files import api as attachments
from liangzhu.kernel import crypto, keys, log
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import BadFile, Invalid
from liangzhu.kernel.models import LogDetail
from liangzhu.kernel.refs import Ref
from liangzhu.kernel.worker import drain

from .conftest import NAME, NUMBER, PHONE, in_a_case

pytestmark = pytest.mark.django_db

CONTEXT = {
    "acceptance": {
        "applicant": NAME,
        "item": "诊所备案",
        "case_number": "20221020001",
        "received_on": date(2022, 10, 19),
        "accepted_on": date(2022, 10, 20),
        "limit": "法定办结时限 20 个工作日，承诺 5 个工作日",
        "due_on": "2022-10-27",
        "materials": ["诊所备案信息表", "诊所房屋平面布局图"],
        "contact": "0518-00000000",
    },
    "correction": {
        "applicant": NAME,
        "item": "诊所备案",
        "received_on": date(2022, 10, 19),
        "missing": ["主要负责人的医师执业证书：执业范围与诊疗科目不一致", "房屋使用证明：缺少出租方签字"],
        "until": date(2022, 11, 1),
    },
    "not_accepted": {
        "applicant": NAME,
        "item": "诊所备案",
        "received_on": date(2022, 10, 19),
        "reason": "诊所地址不在本区",
        "where": "诊所所在地的卫生健康主管部门",
    },
    "special_procedure": {
        "applicant": NAME,
        "item": "放射诊疗许可",
        "procedure": "检测",
        "reason": "设备性能需要检测",
        "starts_on": date(2022, 10, 21),
        "expected": "10 个工作日",
    },
    "granted": {
        "applicant": NAME,
        "item": "医疗机构执业登记",
        "basis": "《医疗机构管理条例》第十七条",
        "decision": "准予竹青门诊部执业，诊疗科目为内科、口腔科",
        "certificate": "医疗机构执业许可证",
    },
    "hearing_right": {
        "applicant": NAME,
        "item": "医疗机构执业登记",
        "told": "拟不予许可",
        "interest": "与相邻居民的通行有重大利益关系",
        "until": date(2022, 10, 27),
    },
    "extension": {
        "applicant": NAME,
        "item": "医疗机构执业登记",
        "reason": "需要补充现场核查",
        "basis": "《行政许可法》第四十二条",
        "due_on": date(2022, 11, 30),
    },
    "no_need": {
        "applicant": NAME,
        "item": "健康咨询",
        "received_on": date(2022, 10, 19),
        "reason": "不属于诊疗活动",
    },
    "notice": {"applicant": NAME, "item": "诊所备案", "decision": "已予备案", "certificate": "诊所备案凭证"},
    "refused": {
        "applicant": NAME,
        "item": "医疗机构执业登记",
        "basis": "《医疗机构管理条例》第十六条",
        "facts": "申请的场所没有独立的出入口",
        "reason": "不符合医疗机构基本标准",
        "review_body": "某区人民政府",
        "court": "某区人民法院",
    },
    "delivery": {
        "applicant": NAME,
        "item": "诊所备案",
        "documents": ["诊所备案凭证"],
        "method": "窗口领取",
        "delivered_on": date(2022, 10, 20),
        "recipient": NAME,
    },
}


@pytest.fixture
def paper(health, seals, officer):
    """paper(template): a sealed paper of the health commission."""

    def run(template="acceptance", **more):
        given = {
            "template": template,
            "context": CONTEXT.get(template, {}),
            "unit_id": health.pk,
            "matter": None,
        }
        return in_a_case(officer.actor, do=lambda act: certificates.sealed_document(act, **(given | more)))

    return run


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(io.BytesIO(pdf)) as document:
        return "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "")


def pdf_of(row: Certificate) -> bytes:
    log.sequence_now()
    return files.certificate_file(
        SYSTEM, Certificate.objects.select_related("leaf").get(pk=row.pk), reason="测试"
    )


def test_a_certificate_is_drawn_once_signed_by_the_platform_and_kept_sealed(issue, tmp_path, reads_logged):
    row = issue()
    with reads_logged():
        pdf = pdf_of(row)
    assert pdf_of(row) == pdf
    told = text_of(pdf)
    for words in ("诊所备案凭证", row.number, NAME, "口腔科", row.identifier, "2022年10月20日"):
        assert words in told, words
    signature = PdfFileReader(io.BytesIO(pdf)).embedded_signatures[0]
    ours = x509.Certificate.load(drawing.platform_certificate(keys.current("paper")))
    found = validate_pdf_signature(signature, ValidationContext(trust_roots=[ours]))
    assert found.intact and found.valid and found.trusted
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == 1 and b"%PDF" not in kept[0]


def test_what_is_in_the_file_is_told_apart_from_what_was_changed(issue, officer):
    row = issue()
    pdf = pdf_of(row)
    file = json.dumps(files.json_file(SYSTEM, row, reason="测试"), ensure_ascii=False).encode()
    assert [verifying.by_file("x", body).state for body in (pdf, file)] == ["valid", "valid"]
    for place in range(7, len(pdf), len(pdf) // 60):
        changed = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
        assert not verifying.by_file("x", changed).good, place
    given = json.loads(file)
    for name, other in {
        "statement": given["statement"].replace("口腔科", "内科"),
        "signature": "00" + given["signature"][2:],
        "key": given["key"][:-1] + "9",
    }.items():
        verdict = verifying.by_file("x", json.dumps(given | {name: other}).encode())
        assert (verdict.state, verdict.row) == ("changed", None), name
    actions.change_by_hand(officer.actor, certificate_id=row.pk, state="07", ground="依据")
    assert verifying.by_file("x", pdf).state == "ended"
    assert verifying.by_ident(row.ident).detail == "证照状态：吊销。"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"statement": 1}', b"\xff\xfe", b"[" * 9000])
def test_what_is_no_file_of_ours_is_refused_by_name(db, body):
    with pytest.raises(BadFile):
        verifying.by_file("x", body)


def test_a_pdf_of_somebody_else_is_not_ours(db):
    from weasyprint import HTML

    assert verifying.by_file("x", HTML(string="<p>x").write_pdf()).state == "unknown"
    assert verifying.by_file("x", b"%PDF-1.7 broken").state == "unknown"


def test_a_number_alone_leads_nowhere(issue):
    row = issue()
    code = row.check_code
    typed = f" {code[:4].lower()}-{code[4:]} "
    for number in (row.number, row.identifier, row.identifier.lower()):
        assert verifying.by_number(number, typed).row == row
    wrong = ("A" if code[0] != "A" else "B") + code[1:]
    for pair in (
        (row.number, wrong),
        (row.number, ""),
        ("海卫诊备〔2022〕9号", code),
        ("", code),
        (row.ident, code),
    ):
        assert verifying.by_number(*pair) == verifying.UNKNOWN
    for ident in ("", "x" * 26, row.ident[:-1], f"{row.pk}"):
        assert verifying.by_ident(ident) == verifying.UNKNOWN


def test_a_row_that_no_longer_is_what_its_leaf_says_is_not_relied_on(issue):
    row = issue()
    Certificate.objects.filter(pk=row.pk).update(digest="0" * 64)
    assert verifying.by_ident(row.ident).state == "changed"
    Certificate.objects.filter(pk=row.pk).update(digest=row.digest)
    assert verifying.by_ident(row.ident).state == "valid"
    LogDetail.objects.filter(leaf=row.leaf_id).delete()
    assert verifying.by_ident(row.ident).state == "valid"


# Offline --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def offline(root, tmp_path):
    """Run the verifier on bytes: (exit status, what it printed)."""

    def run(name: str, body: bytes, key: str = "") -> tuple[int, str]:
        path = tmp_path / name
        path.write_bytes(body)
        command = [
            sys.executable,
            "-I",
            "-S",
            str(root / "docs" / "verify" / "verify.py"),
            "sealed",
            str(path),
        ]
        done = subprocess.run(
            [*command, *(["--key", key] if key else [])],
            capture_output=True,
            text=True,
            env={"PYTHONUTF8": "1"},
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout

    return run


def test_the_offline_verifier_checks_the_file_and_the_pdf(issue, offline):
    row = issue()
    pdf = pdf_of(row)
    row.leaf.refresh_from_db()
    file = files.json_file(SYSTEM, row, reason="测试")
    key = file["proof"]["head"]["public_key"]
    for name, body in {"x.json": json.dumps(file).encode(), "x.pdf": pdf}.items():
        status, said = offline(name, body, key)
        assert status == 0 and row.number in said and "在树里" in said and NAME in said, said
    status, said = offline("x.json", json.dumps({k: v for k, v in file.items() if k != "proof"}).encode())
    assert status == 0 and "没有日志证明" in said
    other = crypto.generate_keypair()[1].hex()
    forged = {
        "statement": file["statement"].replace("口腔科", "内科"),
        "signature": "11" + file["signature"][2:],
        "public_key": other,
        "proof": file["proof"] | {"path": []},
    }
    for name, value in forged.items():
        status, said = offline("x.json", json.dumps(file | {name: value}).encode())
        assert status == 1 and "不成立" in said, (name, said)
    # Another statement, signed rightly by another key, does not stand in the log.
    private, public = crypto.generate_keypair()
    statement = file["statement"].replace("口腔科", "内科")
    signed = {
        "statement": statement,
        "signature": crypto.sign(private, statement.encode()).hex(),
        "public_key": public.hex(),
    }
    assert offline("x.json", json.dumps(file | signed).encode())[0] == 1
    assert offline("x.pdf", b"%PDF-1.7")[0] == 2


# Papers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", papers.TEMPLATES)
def test_every_paper_says_what_it_must_with_number_seal_and_date(paper, template):
    row = paper(template)
    log.sequence_now()
    kept = files.paper_file(Paper.objects.select_related("leaf").get(pk=row.pk))
    told = text_of(attachments.content(kept))
    assert row.title in told and row.number in told and "某区卫生健康委员会" in told
    assert "2022年10月20日" in told and NAME in told
    for value in CONTEXT[template].values():
        for each in value if isinstance(value, list) else [value]:
            words = f"{each.year}年{each.month}月{each.day}日" if isinstance(each, date) else str(each)
            words = "2022年10月27日" if words == "2022-10-27" else words
            assert words in told, words
    assert verifying.by_file("x", attachments.content(kept)).state == "valid"


def test_numbers_of_papers_go_on_by_unit_and_kind(paper):
    assert [paper().number, paper().number] == ["海卫许受〔2022〕1号", "海卫许受〔2022〕2号"]
    assert paper("refused").number == "海卫许不准〔2022〕1号"


def test_a_paper_is_drawn_by_the_worker_and_attached_to_its_matter(paper, officer):
    matter = Ref("matter", "7")
    row = paper(matter=matter)
    log.sequence_now()
    drain()
    row.refresh_from_db()
    assert [one.pk for one in attachments.of(matter)] == [row.attachment_id]
    assert row.attachment.name == "受理通知书 海卫许受〔2022〕1号.pdf"
    assert queries.paper_pdf(matter, row.pk) == row.attachment
    later = paper("correction", matter=matter)
    drain()
    assert Paper.objects.get(pk=later.pk).attachment_id is None
    log.sequence_now()
    files.draw_papers()
    assert [one.title for one in queries.papers_of(matter) if one.attachment_id] == [
        "受理通知书",
        "补正告知书",
    ]


def test_a_paper_that_cannot_be_drawn_holds_up_no_other(paper, monkeypatch):
    first, second = paper(), paper()
    real = files._draw
    monkeypatch.setattr(files, "_draw", lambda row: real(row) if row.pk == second.pk else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        files.draw_papers()
    assert [one.attachment_id is None for one in Paper.objects.order_by("id")] == [True, False]
    assert first.pk < second.pk


def test_whoever_scans_a_paper_learns_that_it_is_real_and_not_what_it_says(paper):
    verdict = verifying.by_ident(paper("refused").ident)
    assert (verdict.state, verdict.shown["to"]) == ("valid", "欧阳**")
    assert "独立的出入口" not in json.dumps(verdict.shown, ensure_ascii=False)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"context": {}}, "applicant"),
        ({"context": CONTEXT["refused"]}, "facts"),
        ({"template": "x"}, "template"),
    ],
)
def test_a_paper_that_lacks_something_is_refused(paper, more, field):
    with pytest.raises(Invalid) as caught:
        paper(**more)
    assert field in caught.value.fields
    with pytest.raises(Invalid) as caught:
        paper(context=CONTEXT["acceptance"] | {"due_on": "明天"})
    assert caught.value.fields == {"due_on": "应为日期。"}


def test_no_personal_value_stands_in_the_statement_columns(issue, paper):
    row, other = issue(), paper()
    for one in (row, other):
        raw = type(one).objects.filter(pk=one.pk).values_list("statement", "shown")[0]
        for blob in raw:
            assert not any(value.encode() in blob.data for value in (NAME, PHONE, NUMBER))
