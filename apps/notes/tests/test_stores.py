import time

from notes.stores import PasswordWatch


def watched() -> tuple[PasswordWatch, list[bool]]:
    ended: list[bool] = []
    return PasswordWatch(lambda: ended.append(True), patience=0.05, at_first=0.4), ended


def test_who_was_taken_before_is_soon_told_the_new_password() -> None:
    watch, ended = watched()
    watch.taken("Postgres")
    watch.refused("Postgres")
    assert not ended
    time.sleep(0.1)
    watch.refused("Postgres")
    assert ended


def test_who_never_was_may_have_to_wait_for_a_login() -> None:
    watch, ended = watched()
    watch.taken("Redis")
    watch.refused("Postgres")
    time.sleep(0.1)
    watch.refused("Postgres")
    assert not ended
    time.sleep(0.4)
    watch.refused("Postgres")
    assert ended


def test_a_refusal_that_passes_is_forgotten() -> None:
    watch, ended = watched()
    for _ in range(3):
        watch.taken("Postgres")
        watch.refused("Postgres")
        time.sleep(0.06)
    assert not ended
