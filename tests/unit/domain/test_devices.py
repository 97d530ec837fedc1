"""What becomes of a device's last status."""

from __future__ import annotations

from itertools import product

from domain.devices import HAPPENINGS, STATUSES, TRANSITIONS, may_push, status_after


def test_ppl_case_17_a_device_goes_bad_in_two_steps_and_is_good_again_when_registered() -> None:
    status = ""
    assert may_push(status)
    status = status_after(status, "rejected")
    assert (status, may_push(status)) == ("bounced", True)
    status = status_after(status, "rejected")
    assert (status, may_push(status)) == ("suppressed", False)
    assert status_after(status, "registered") == ""
    assert status_after("sent", "unregistered") is None


def test_every_state_has_an_answer_to_everything() -> None:
    assert set(TRANSITIONS) == set(product(STATUSES, HAPPENINGS))
    assert {after for after in TRANSITIONS.values() if after is not None} == set(STATUSES)


def test_what_was_sent_stays_sent_and_an_accepted_push_ends_a_run_of_failures() -> None:
    assert status_after("sent", "registered") == "sent"
    assert status_after("bounced", "registered") == ""
    assert status_after("bounced", "accepted") == "sent"
    assert status_after("sent", "rejected") == "bounced"
