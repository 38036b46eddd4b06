"""The breaker of an account: left alone after too much throttling, tried again pass by pass."""

from __future__ import annotations

import threading

import pytest

from reconciler.model.errors import AwsFault, FaultKind
from reconciler.providers.relief import Relief, ReliefSettings
from reconciler.testing.memory import CountingTelemetry, FakeClock

HERE = ("111111111111", "us-east-1")


class Account:
    """A relief with a clock, ten throttled calls a minute being too many."""

    def __init__(self) -> None:
        self.clock, self.telemetry = FakeClock(), CountingTelemetry()
        self.relief = Relief(self.clock, self.telemetry, ReliefSettings(throttles=10, relief=120))

    def throttle(self, times: int, every: float = 1.0) -> None:
        for _ in range(times):
            self.relief.throttled(*HERE)
            self.clock.sleep(every)

    def admits(self) -> bool:
        try:
            self.relief.admit(*HERE)
        except AwsFault as fault:
            assert fault.kind is FaultKind.THROTTLED
            return False
        return True

    def admits_another(self) -> bool:
        """Another worker's pass."""
        answers: list[bool] = []
        worker = threading.Thread(target=lambda: answers.append(self.admits()))
        worker.start()
        worker.join()
        return answers[0]


@pytest.fixture
def account() -> Account:
    return Account()


def test_too_much_throttling_leaves_the_account_alone_until_a_time_that_is_told(account: Account) -> None:
    account.throttle(9)
    assert account.admits()
    account.throttle(1, every=0)
    with pytest.raises(AwsFault, match=r"account 111111111111 in us-east-1.*people.*until \d\d:\d\d:\d\d UTC"):
        account.relief.admit(*HERE)
    account.clock.sleep(119)
    assert not account.admits()
    account.clock.sleep(1)
    assert account.admits()


def test_a_person_is_let_through_while_it_is_left_alone_and_while_it_is_tried_again(account: Account) -> None:
    account.throttle(10)
    account.relief.admit(*HERE, asked=True)
    assert not account.admits()
    account.clock.sleep(120)
    assert account.admits_another()  # the trial
    account.relief.admit(*HERE, asked=True)
    assert not account.admits()


def test_other_accounts_and_regions_go_on(account: Account) -> None:
    account.throttle(10)
    account.relief.admit("222222222222", "us-east-1")
    account.relief.admit("111111111111", "eu-west-1")


def test_a_little_throttling_over_a_long_time_is_normal(account: Account) -> None:
    account.throttle(50, every=7)
    assert account.admits()


def test_afterwards_one_pass_at_a_time(account: Account) -> None:
    account.throttle(10)
    account.clock.sleep(120)
    assert account.admits()
    assert account.admits()  # the same pass opens twice
    assert not account.admits_another()
    account.clock.sleep(15)
    assert account.admits_another()
    assert not account.admits()


def test_throttling_of_the_trial_leaves_it_alone_again_at_once(account: Account) -> None:
    account.throttle(10)
    account.clock.sleep(120)
    assert account.admits()
    account.throttle(1)
    assert not account.admits()


def test_after_a_quiet_time_everything_is_as_before(account: Account) -> None:
    account.throttle(10)
    account.clock.sleep(240)
    assert account.admits()
    assert account.admits_another()
    account.throttle(9)
    assert account.admits()


def test_telemetry_hears_of_every_account_and_of_both_changes(account: Account) -> None:
    account.admits()
    account.throttle(10)
    account.clock.sleep(120)
    account.admits()
    assert dict(account.telemetry.counts) == {
        ("account_throttled", *HERE, "False"): 2,
        ("account_throttled", *HERE, "True"): 1,
    }
