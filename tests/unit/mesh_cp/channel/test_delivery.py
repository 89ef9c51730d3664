"""What a proxy is sent: differences, one update at a time, merged while one is under way."""

from __future__ import annotations

import random

from mesh_core.channel.resources import Encoded, Key, encode_resource
from mesh_cp.channel import delivery
from mesh_cp.channel.delivery import Delivery
from mesh_cp.channel.frames import UpdateFrames, update_of
from mesh_cp.channel.rate import TokenBucket

A, B, C = Key("cluster", "a"), Key("endpoint", "a"), Key("listener", "l")


def content(number: int) -> Encoded:
    return encode_resource({"number": number})


def test_only_differences_are_sent() -> None:
    made = Delivery({A: content(1).hash, C: content(9).hash})
    made.want_all(1, {A: content(1), B: content(2)})
    assert made.next() == (1, {B: content(2), C: None})
    assert made.next() is None
    assert not made.in_sync
    assert made.acked(1)
    assert made.in_sync
    assert (made.next(), made.acked_version) == (None, 1)


def test_who_has_all_is_sent_nothing() -> None:
    made = Delivery({A: content(1).hash})
    made.want_all(5, {A: content(1)})
    assert (made.next(), made.acked_version, made.in_sync) == (None, 5, True)


def test_changes_are_merged_while_an_update_is_under_way() -> None:
    made = Delivery({})
    made.want_all(1, {A: content(1)})
    assert made.next() == (1, {A: content(1)})
    for number in range(2, 50):
        made.want(number, {B: content(number)})
        assert made.next() is None
    made.want(50, {A: None})
    assert made.acked(1)
    assert made.acked_version == 1
    assert made.next() == (50, {A: None, B: content(49)})


def test_a_change_that_is_taken_back_is_not_sent() -> None:
    made = Delivery({})
    made.want_all(1, {A: content(1)})
    made.next()
    made.acked(1)
    made.want(2, {A: content(2)})
    made.want(3, {A: content(1)})
    assert (made.next(), made.acked_version) == (None, 3)


def test_answers_to_what_is_not_under_way() -> None:
    made = Delivery({})
    made.want_all(3, {A: content(1)})
    assert not made.acked(3)
    made.next()
    assert not made.acked(2)
    assert made.nacked(4, ()) is None
    assert made.acked(3)
    assert not made.acked(3)


def test_a_refused_update_waits_longer_each_time_and_a_change_does_not() -> None:
    made = Delivery({})
    made.want_all(1, {A: content(1)})
    waits = []
    for _ in range(8):
        assert made.next() == (1, {A: content(1)})
        waits.append(made.nacked(1, ("no",)))
        assert made.next() is None
        made.retry()
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (made.refused, made.in_sync, made.acked_version) == (("no",), False, 0)
    made.next()
    made.nacked(1, ("no",))
    made.want(2, {A: content(2)})
    assert made.next() == (2, {A: content(2)})
    assert made.acked(2)
    assert made.refused == ()


def test_a_change_under_way_of_a_refusal_is_sent_at_once() -> None:
    made = Delivery({})
    made.want_all(1, {A: content(1)})
    made.next()
    made.want(2, {A: content(2)})
    assert made.nacked(1, ("no",)) == 0.0
    assert made.next() == (2, {A: content(2)})


def test_endpoints_go_on_while_something_else_is_refused() -> None:
    made = Delivery({A: content(1).hash, B: content(1).hash})
    made.want_all(1, {A: content(1), B: content(1)})
    bad, other = Key("route", "bad"), Key("endpoint", "other")
    made.want(2, {bad: content(0), B: content(2)})
    made.next()
    made.nacked(2, ("no",))
    for version in (2, 3):
        assert made.next() == (version, {B: content(version)})
        assert made.acked(version)
        # The refusal stands, and is one of this version too.
        assert (made.next(), made.refused, made.refused_version, made.acked_version) == (None, ("no",), version, 1)
        made.want(3, {B: content(3)})
    # Those of a cluster that is not there do not.
    made.want(4, {other: content(1)})
    assert made.next() == (4, {other: content(1), bad: content(0)})
    made.nacked(4, ("no",))
    assert made.next() is None
    made.want(5, {bad: None, other: None})
    assert (made.next(), made.refused, made.in_sync, made.acked_version) == (None, (), True, 5)


def test_endpoints_that_are_refused_themselves() -> None:
    made = Delivery({A: content(1).hash, B: content(1).hash})
    made.want_all(1, {A: content(1), B: content(2), C: content(0)})
    for _ in range(3):
        assert made.next() == (1, {B: content(2), C: content(0)})
        made.nacked(1, ("no",))
        if made.next() is not None:
            made.nacked(1, ("no", "nor that"))
            assert made.refused == ("no", "nor that")
        assert made.next() is None
        made.retry()
    made.want(2, {B: content(3)})
    assert made.next() == (2, {B: content(3), C: content(0)})
    assert made.acked(2)
    assert (made.refused, made.in_sync) == ((), True)


def test_large_changes_go_in_parts_make_before_break(monkeypatch: object) -> None:
    big = encode_resource(bytes(delivery.UPDATE_BYTES // 2))
    gone = Key("cluster", "gone")
    made = Delivery({gone: content(0).hash})
    wanted = {C: big, Key("cluster", "x"): big, Key("cluster", "y"): big}
    made.want_all(1, wanted)
    parts = []
    while (due := made.next()) is not None:
        version, change = due
        parts.append([key.type if change[key] else "removal" for key in change])
        made.acked(version)
        assert made.acked_version == (1 if made.in_sync else 0)
    assert parts == [["cluster"], ["cluster"], ["listener", "removal"]]


def test_whatever_happens_both_ends_agree_at_last() -> None:
    chosen = random.Random(5)
    keys = [Key("cluster", str(number)) for number in range(6)]
    for _ in range(300):
        has = {key: content(chosen.randrange(3)) for key in keys if chosen.random() < 0.5}
        made = Delivery({key: each.hash for key, each in has.items()})
        wanted = {key: content(chosen.randrange(3)) for key in keys if chosen.random() < 0.5}
        made.want_all(1, wanted)
        version, under_way = 1, None
        for _ in range(30):
            if chosen.random() < 0.5:
                version += 1
                key = chosen.choice(keys)
                each = content(chosen.randrange(3)) if chosen.random() < 0.7 else None
                wanted.pop(key, None)
                if each is not None:
                    wanted[key] = each
                made.want(version, {key: each})
            under_way = made.next() or under_way
            if under_way is not None and chosen.random() < 0.6:
                if chosen.random() < 0.7:
                    for key, each in under_way[1].items():
                        has.pop(key, None)
                        if each is not None:
                            has[key] = each
                    assert made.acked(under_way[0])
                else:
                    assert made.nacked(under_way[0], ("no",)) is not None
                    made.retry()
                under_way = None
        while under_way is not None or (under_way := made.next()) is not None:
            for key, each in under_way[1].items():
                has.pop(key, None)
                if each is not None:
                    has[key] = each
            made.acked(under_way[0])
            under_way = None
        assert (has, made.in_sync, made.acked_version) == (wanted, True, version)


def test_an_update_is_encoded_once_for_all_who_get_it() -> None:
    frames = UpdateFrames()
    same = {B: content(1), A: None}
    assert frames.frame(1, same) is frames.frame(1, dict(reversed(same.items())))
    assert frames.encoded == 1
    assert frames.frame(2, same) != frames.frame(1, same)
    assert frames.frame(1, {B: content(2), A: None}) != frames.frame(1, same)
    for version in range(100, 200):
        frames.frame(version, same)
    assert len(frames._kept) < 100


def test_an_update_names_what_others_need_first() -> None:
    message = update_of(1, {C: content(1), B: content(2), A: content(3)})
    assert list(message.upserts) == ["cluster", "endpoint", "listener"]


def test_a_bucket_tells_how_long_to_wait() -> None:
    bucket = TokenBucket(10, 20, 100.0)
    assert [bucket.take(10, 100.0), bucket.take(10, 100.0), bucket.take(5, 100.0)] == [0.0, 0.0, 0.5]
    assert bucket.take(0, 100.5) == 0.0
    assert bucket.take(20, 1000.0) == 0.0
    assert bucket.take(1, 1000.0) == 0.1
