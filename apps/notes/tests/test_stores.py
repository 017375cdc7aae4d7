import time
from pathlib import Path

from notes.stores import Password, PasswordWatch


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


def test_a_file_gives_its_password_and_then_the_one_before_it(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    password = Password(str(file), "of the environment")
    assert password.candidates() == ["first", "of the environment"]
    for now, before in (("second", "first"), ("third", "second")):
        file.write_text(now)
        assert password.candidates() == [now, before]
    file.unlink()
    assert password.candidates() == ["third", "second"]


def test_without_a_file_it_is_what_the_environment_says() -> None:
    assert Password(None, "given").candidates() == ["given"]
    assert Password(None).candidates() == [None]
