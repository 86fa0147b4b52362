"""The log: leaves come into the tree without gaps, whoever writes and whoever dies; what is altered afterwards is named."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from liangzhu.kernel import keyring, log
from liangzhu.kernel.actors import SYSTEM
from liangzhu.kernel.errors import NotThere
from liangzhu.kernel.log import heads, sequencer, tree
from liangzhu.kernel.log.leaves import leaf_text
from liangzhu.kernel.log.verifying import verify
from liangzhu.kernel.models import LogDetail, LogHead, LogLeaf, LogTile
from liangzhu.kernel.refs import Ref


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    """Heads go into a folder of this test's own."""
    settings.LIANGZHU_HOME = tmp_path
    return tmp_path


def write(count: int = 1, **details) -> list[LogLeaf]:
    with transaction.atomic():
        return [
            log.write_leaf(SYSTEM, "test.did", Ref("thing", str(n)), {"n": n} | details) for n in range(count)
        ]


def grow(*batches: int) -> None:
    for count in batches:
        write(count)
        log.sequence_now()


def codes(**given) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.leaf) for finding in verify(**given).findings]


def in_order() -> bool:
    """Whether all of it verifies, once the file has caught up (inside a test's transaction nothing is committed)."""
    heads.append_missing()
    return verify().ok


def postgresql(test):
    """A test of what only PostgreSQL does; on SQLite ids commit in order, and there is nothing to test."""
    return test if connection.vendor == "postgresql" else None


class TestNumbering:
    pytestmark = pytest.mark.django_db

    def test_leaves_get_numbers_from_zero_in_the_order_of_their_ids(self):
        grow(3, 2)
        rows = list(LogLeaf.objects.order_by("id").values_list("number", flat=True))
        assert rows == [0, 1, 2, 3, 4]
        assert list(LogHead.objects.order_by("size").values_list("size", flat=True)) == [3, 5]
        assert log.sequence_now() == 0

    def test_the_root_is_that_of_the_plain_tree(self):
        grow(300, 1, 300)
        edge = tree.Edge()
        for leaf in LogLeaf.objects.order_by("number"):
            edge.add(tree.leaf_hash(leaf_text(leaf).encode()))
        assert edge.root.hex() == log.latest_head().root
        assert heads.signature_holds(log.latest_head())

    def test_more_than_a_batch_is_taken_up_in_several(self, monkeypatch):
        monkeypatch.setattr(sequencer, "BATCH", 10)
        write(25)
        assert log.sequence_now() == 25
        assert LogHead.objects.count() == 3 and in_order()

    def test_an_uncommitted_leaf_has_no_number_and_a_rolled_back_one_leaves_no_gap(self):
        grow(1)
        with pytest.raises(RuntimeError), transaction.atomic():
            log.write_leaf(SYSTEM, "test.did", Ref("thing", "9"), {})
            raise RuntimeError
        grow(1)
        assert sorted(LogLeaf.objects.values_list("number", flat=True)) == [0, 1]

    @pytest.mark.parametrize("spot", ["write_tiles", "heads.make_head", "_number"])
    def test_a_batch_that_breaks_off_leaves_everything_as_it_was(self, monkeypatch, spot):
        grow(5)
        before = (list(LogTile.objects.values_list()), log.latest_head().root)
        write(3)
        with monkeypatch.context() as patch:

            def broken(*args, **kwargs):
                raise OSError("power")

            target, name = (heads, "make_head") if "." in spot else (sequencer, spot)
            patch.setattr(target, name, broken)
            with pytest.raises(OSError, match="power"):
                log.sequence_now()
        assert (list(LogTile.objects.values_list()), log.latest_head().root) == before
        assert LogLeaf.objects.filter(number=None).count() == 3
        assert log.sequence_now() == 3 and in_order()

    def test_nothing_is_signed_on_top_of_a_tree_that_was_altered(self):
        grow(5)
        tile = LogTile.objects.get(level=0, index=0)
        LogTile.objects.filter(level=0, index=0).update(hashes=b"\x00" * 32 + bytes(tile.hashes)[32:])
        write(1)
        with pytest.raises(tree.TreeDamaged, match="head 5"):
            log.sequence_now()
        assert log.latest_head().size == 5

    def test_waiting_inside_the_transaction_is_refused_at_once(self):
        with transaction.atomic(), pytest.raises(RuntimeError, match="after it"):
            log.wait_for(write(1)[0])

    def test_heads_are_never_older_than_those_before(self, monkeypatch):
        grow(1)
        ahead = log.latest_head().at + timedelta(hours=1)
        LogHead.objects.all().delete()
        LogTile.objects.all().delete()
        LogLeaf.objects.update(number=None)
        monkeypatch.setattr(sequencer, "machine_now", lambda: ahead)
        grow(1)
        monkeypatch.undo()
        grow(1)
        times = list(LogHead.objects.order_by("size").values_list("at", flat=True))
        assert times == sorted(times) and times[-1] == ahead


class TestTogether:
    pytestmark = pytest.mark.django_db(transaction=True)

    @postgresql
    def test_a_lower_id_that_commits_later_is_not_skipped(self):
        written, go = threading.Event(), threading.Event()

        def slow():
            with transaction.atomic():
                log.write_leaf(SYSTEM, "test.slow", Ref("thing", "1"), {})
                written.set()
                assert go.wait(10)
            connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        assert written.wait(10)
        grow(2)
        go.set()
        thread.join()
        assert log.sequence_now() == 1
        late = LogLeaf.objects.get(action="test.slow")
        assert late.number == 2 and late.pk == min(LogLeaf.objects.values_list("pk", flat=True))
        assert verify().ok

    @postgresql
    def test_a_second_sequencer_stands_aside(self):
        write(1)
        held, go = threading.Event(), threading.Event()

        def first():
            with transaction.atomic():
                assert sequencer._alone(wait=False)
                held.set()
                assert go.wait(10)
            connection.close()

        thread = threading.Thread(target=first)
        thread.start()
        assert held.wait(10)
        assert sequencer._batch(wait=False) == 0
        go.set()
        thread.join()
        assert sequencer._batch(wait=False) == 1

    def test_the_worker_takes_leaves_up_and_those_who_wait_get_the_head_of_their_batch(self):
        stop = threading.Event()
        thread = threading.Thread(target=sequencer.run, args=[stop])
        thread.start()
        try:
            for _ in range(3):
                (leaf,) = write(1)
                head = log.wait_for(leaf)
                assert leaf.number == head.size - 1
                assert log.inclusion_proof(leaf.number, head.size)["head"]["size"] == head.size
        finally:
            stop.set()
            thread.join()
        assert verify().ok

    def test_who_waits_does_the_batch_when_no_worker_runs(self):
        first, second = write(2)
        assert log.wait_for(first).size == 2 and log.wait_for(second).size == 2

    def test_who_waits_in_vain_is_told_that_the_change_itself_is_done(self, monkeypatch):
        monkeypatch.setattr(sequencer, "_batch", lambda wait: 0)
        with pytest.raises(log.NotSequenced, match="已经完成"):
            log.wait_for(write(1)[0], timeout=0.1)


class TestHeadsFile:
    pytestmark = pytest.mark.django_db

    def lines(self) -> list[str]:
        return [line.split()[0] for line in heads.heads_file().read_text().splitlines()]

    @pytest.mark.django_db(transaction=True)
    def test_each_head_is_appended_after_the_key_that_signs(self, monkeypatch, home):
        grow(2, 1)
        assert self.lines() == ["key", "head", "head"]
        assert heads.last_in_file(heads.heads_file()).root == log.latest_head().root
        with monkeypatch.context() as patch:
            patch.setattr(heads, "heads_file", lambda: home / "absent" / "heads.txt")
            grow(1, 1)
        assert self.lines() == ["key", "head", "head"]
        grow(1)
        assert self.lines() == ["key", "head", "head", "head", "head", "head"]
        assert verify().ok

    def test_a_half_written_line_is_written_again(self):
        grow(1, 1)
        assert heads.append_missing() == 2
        path = heads.heads_file()
        path.write_text(path.read_text()[:-30])
        grow(1)
        assert heads.append_missing() == 2
        assert self.lines() == ["key", "head", "head", "head"] and verify().ok

    def test_another_key_is_named_where_it_begins_to_sign(self):
        grow(1)
        keyring.rotate(SYSTEM, purpose="log")
        grow(1)
        assert in_order()
        lines = heads.heads_file().read_text().splitlines()
        assert [line.split()[:2] for line in lines if line.startswith("key")] == [
            ["key", "log:1"],
            ["key", "log:2"],
        ]
        assert LogHead.objects.earliest("size").key == "log:1" and log.latest_head().key == "log:2"


class TestProofs:
    pytestmark = pytest.mark.django_db

    @pytest.fixture(autouse=True)
    def grown(self, home):
        grow(3, 300, 7)
        heads.append_missing()

    def test_every_leaf_is_proven_against_every_head_that_holds_it(self):
        for head in LogHead.objects.all():
            for number in (0, 2, 3, 255, 256, 302, 303, 309):
                if number >= head.size:
                    with pytest.raises(NotThere, match="没有"):
                        log.inclusion_proof(number, head.size)
                    continue
                proof = log.inclusion_proof(number, head.size)
                path = [bytes.fromhex(each) for each in proof["path"]]
                own = tree.leaf_hash(leaf_text(LogLeaf.objects.get(number=number)).encode())
                assert proof["leaf"]["hash"] == own.hex()
                assert tree.verify_inclusion(own, number, head.size, path, bytes.fromhex(head.root))

    def test_each_head_continues_those_before(self):
        sizes = list(LogHead.objects.order_by("size").values_list("size", flat=True))
        for old in sizes:
            for new in sizes:
                if old > new:
                    continue
                proof = log.consistency_proof(old, new)
                path = [bytes.fromhex(each) for each in proof["path"]]
                roots = (bytes.fromhex(proof[name]["root"]) for name in ("old", "new"))
                assert tree.verify_consistency(old, new, path, *roots)

    def test_sizes_that_nobody_signed_have_no_proof(self):
        for old, new in [(1, 310), (3, 309), (310, 3), (0, 310)]:
            with pytest.raises(NotThere):
                log.consistency_proof(old, new)

    def test_a_proof_costs_two_queries_and_the_key(self, django_assert_max_num_queries):
        with django_assert_max_num_queries(3):
            log.inclusion_proof(200, 310)

    def test_the_public_proof_says_nothing_of_what_was_done(self):
        text = json.dumps(log.inclusion_proof(5))
        assert "test.did" not in text and "thing" not in text and "system" not in text

    def test_the_leafs_own_proof_holds_leaf_and_on_request_details(self):
        proof = log.leaf_proof(5)
        assert tree.leaf_hash(proof["leaf"]["text"].encode()).hex() == proof["leaf"]["hash"]
        assert "details" not in proof
        details = log.leaf_proof(5, details=True)["details"]
        said = json.loads(proof["leaf"]["text"])
        assert log.commit(bytes.fromhex(details["salt"]), details["body"]) == said["commitment"]
        LogDetail.objects.filter(leaf__number=5).delete()
        assert "details" not in log.leaf_proof(5, details=True)


class TestVerifying:
    pytestmark = pytest.mark.django_db

    @pytest.fixture(autouse=True)
    def grown(self, home):
        grow(3, 300, 7, 1)
        heads.append_missing()
        self.saved = heads.as_json(LogHead.objects.get(size=310))

    def test_an_untouched_log_is_in_order(self):
        report = verify(since=[self.saved])
        assert report.ok and (report.leaves, report.heads, report.file_heads) == (311, 4, 4)
        assert report.root == log.latest_head().root and report.waiting == report.destroyed == 0

    def test_leaves_without_a_number_are_counted_and_no_fault(self):
        write(2)
        report = verify()
        assert report.ok and report.waiting == 2

    def test_details_destroyed_by_rule_are_counted_and_no_fault(self):
        LogDetail.objects.filter(leaf__number__in=[4, 5]).delete()
        report = verify()
        assert report.ok and report.destroyed == 2

    def test_one_changed_letter_in_a_leaf_is_named(self):
        names = ["action", "actor", "subject", "on_behalf", "request_id", "commitment"]
        for number, name in zip([0, 150, 255, 256, 302, 310], names, strict=True):
            leaf = LogLeaf.objects.get(number=number)
            LogLeaf.objects.filter(pk=leaf.pk).update(**{name: "x" + getattr(leaf, name)[1:]})
            wanted = [("leaf_changed", number)]
            assert [found for found in codes() if found[0] != "detail_changed"] == wanted
            leaf.save()
        assert codes() == []

    @pytest.mark.parametrize("name", ["at", "recorded_at"])
    def test_a_changed_time_is_named(self, name):
        value = getattr(LogLeaf.objects.get(number=9), name)
        LogLeaf.objects.filter(number=9).update(**{name: value + timedelta(microseconds=1)})
        assert codes() == [("leaf_changed", 9)]

    def test_a_changed_detail_is_named(self):
        LogDetail.objects.filter(leaf__number=9).update(body='{"n":7}')
        assert codes() == [("detail_changed", 9)]

    def test_a_changed_detail_with_its_commitment_is_named(self):
        detail = LogDetail.objects.get(leaf__number=9)
        LogDetail.objects.filter(pk=detail.pk).update(body='{"n":7}')
        LogLeaf.objects.filter(number=9).update(commitment=log.commit(bytes(detail.salt), '{"n":7}'))
        assert codes() == [("leaf_changed", 9)]

    def test_deleted_leaves_are_named_as_one_run(self):
        LogDetail.objects.filter(leaf__number__in=[7, 8, 99]).delete()
        LogLeaf.objects.filter(number__in=[7, 8, 99]).delete()
        found = verify().findings
        assert [(one.code, one.leaf, one.until) for one in found] == [
            ("leaf_missing", 7, 8),
            ("leaf_missing", 99, 99),
        ]

    def test_a_swapped_pair_is_named_as_such(self):
        one, two = LogLeaf.objects.get(number=10), LogLeaf.objects.get(number=290)
        LogLeaf.objects.filter(pk=one.pk).update(number=1000)
        LogLeaf.objects.filter(pk=two.pk).update(number=10)
        LogLeaf.objects.filter(pk=one.pk).update(number=290)
        found = verify().findings
        assert [(one.code, one.leaf, one.until) for one in found] == [
            ("leaf_moved", 10, 290),
            ("leaf_moved", 290, 10),
        ]

    def cut(self, size: int):
        LogDetail.objects.filter(leaf__number__gte=size).delete()
        LogLeaf.objects.filter(number__gte=size).delete()

    def test_a_cut_end_is_seen_by_the_head(self):
        self.cut(310)
        assert codes() == [("leaf_missing", 310)]

    def test_a_cut_end_with_its_head_is_seen_by_the_file(self):
        self.cut(310)
        LogHead.objects.filter(size=311).delete()
        found = verify().findings
        assert [(one.code, one.leaf, one.until) for one in found] == [("cut", 310, 310)]
        assert "截去" in found[0].detail and found[0].todo

    def test_a_cut_end_with_head_and_file_is_seen_by_a_saved_head(self):
        self.cut(303)
        LogHead.objects.filter(size__gt=303).delete()
        path = heads.heads_file()
        path.write_text("".join(path.read_text().splitlines(True)[:3]))
        assert codes() == []
        assert codes(since=[self.saved]) == [("cut", 303)]

    def test_a_log_that_was_cut_and_grew_again_is_seen_by_the_file(self):
        self.cut(303)
        LogHead.objects.filter(size__gt=303).delete()
        tile = bytes(LogTile.objects.get(level=0, index=1).hashes)[: (303 - 256) * 32]
        LogTile.objects.filter(level=0, index=1).update(hashes=tile)
        grow(20)
        assert {code for code, _ in codes()} >= {"root_differs", "head_removed"}

    def test_a_leaf_changed_with_its_tile_is_narrowed_to_its_batch(self):
        leaf = LogLeaf.objects.get(number=305)
        leaf.action = "test.dib"
        leaf.save()
        blob = bytearray(LogTile.objects.get(level=0, index=1).hashes)
        blob[49 * 32 : 50 * 32] = tree.leaf_hash(leaf_text(leaf).encode())
        LogTile.objects.filter(level=0, index=1).update(hashes=bytes(blob))
        found = verify().findings
        assert {(one.code, one.leaf, one.until) for one in found} == {("root_differs", 303, 309)}
        assert codes(since=[self.saved])

    @pytest.mark.parametrize("level", [0, 1])
    def test_a_changed_tile_is_told_from_a_changed_leaf(self, level):
        blob = bytearray(LogTile.objects.get(level=level, index=0).hashes)
        blob[7] ^= 1
        LogTile.objects.filter(level=level, index=0).update(hashes=bytes(blob))
        assert codes() == [("tile_changed", 0)]

    @pytest.mark.parametrize("level", [0, 1])
    def test_a_missing_tile_is_named(self, level):
        LogTile.objects.filter(level=level, index=0).delete()
        found = verify().findings
        assert {one.code for one in found} == {"tile_missing"}
        assert found[0].leaf == 0 and found[-1].until == 255 + 55 * level

    def test_a_forged_head_is_named(self):
        LogHead.objects.filter(size=303).update(root="ab" * 32)
        assert {code for code, _ in codes()} == {"head_forged", "head_altered", "root_differs"}
        LogHead.objects.filter(size=303).update(root=LogHead.objects.get(size=303).root, signature="00" * 64)
        assert "head_forged" in {code for code, _ in codes()}

    def test_an_invented_head_is_named(self):
        head = LogHead.objects.get(size=303)
        LogHead.objects.create(size=200, root="cd" * 32, at=head.at, key=head.key, signature=head.signature)
        assert {code for code, _ in codes()} == {"head_forged", "root_differs"}

    def test_a_head_missing_from_the_database_is_named(self):
        LogHead.objects.filter(size=303).delete()
        assert codes() == [("head_removed", 302)]

    def test_a_leaf_with_a_number_that_no_head_holds_is_named(self):
        (leaf,) = write(1)
        LogLeaf.objects.filter(pk=leaf.pk).update(number=311)
        assert codes() == [("leaf_unsigned", 311)]

    def test_a_heads_file_that_is_gone_or_unreadable_is_named(self):
        path = heads.heads_file()
        text = path.read_text()
        path.write_text("nonsense\n" + text)
        assert codes() == [("file_line", None)]
        path.write_text("".join(sorted(text.splitlines(True), reverse=True)))
        assert "file_line" in {code for code, _ in codes()}
        path.unlink()
        assert codes() == [("file_missing", None)]

    def test_a_replaced_key_is_seen_by_the_file_and_by_a_saved_head(self, monkeypatch):
        from liangzhu.kernel import crypto, keys

        private, public = crypto.generate_keypair()
        monkeypatch.setattr(keys, "public", lambda key: public)
        monkeypatch.setattr(
            keys, "verify", lambda key, message, signature: crypto.verify(public, message, signature)
        )
        for head in LogHead.objects.all():
            head.signature = crypto.sign(
                private, heads.signed_text(head.size, head.root, heads.stamp(head.at))
            ).hex()
            head.save()
        assert ("key_replaced", None) in codes()
        heads.heads_file().unlink()
        heads.append_missing()
        assert codes() == []
        assert codes(since=[self.saved]) == [("key_replaced", None)]

    def test_a_saved_head_that_is_none_is_refused(self):
        for wrong in ({}, [], self.saved | {"root": "ab" * 32}, self.saved | {"signature": "xx"}):
            with pytest.raises(ValueError, match="树头"):
                verify(since=[wrong])

    def test_findings_are_listed_up_to_a_limit_and_counted_beyond(self):
        LogLeaf.objects.filter(number__lt=250).update(request_id="x")
        report = verify()
        assert len(report.findings) == 200 and report.unlisted == 50
        assert json.loads(json.dumps(report.as_json()))["ok"] is False

    def test_progress_is_told(self):
        told = []
        verify(progress=lambda done, of: told.append((done, of)))
        assert told[-1] == (311, 311)
