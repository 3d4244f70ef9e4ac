"""Environment variables that nobody should set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ovenbird import settings
from ovenbird.core.quotes import ODD
from ovenbird.errors import BadSettings
from tests.hostile.mutations import TEXTS

EXAMPLES = hypothesis_settings.get_profile("hostile")
GOOD = {
    "OVENBIRD_TABLE": "ovenbird-Ledger",
    "OVENBIRD_TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:ovenbird",
    "OVENBIRD_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:111122223333:stateMachine:ovenbird",
    "OVENBIRD_PARAMETERS": "/ovenbird/fleets",
}
HOSTILE = st.sampled_from(TEXTS) | st.text(max_size=40) | st.sampled_from(sorted(GOOD.values()))


@hypothesis_settings(EXAMPLES, max_examples=300)
@given(st.sampled_from(sorted(GOOD)), HOSTILE, HOSTILE)
def test_are_refused_by_their_name(name: str, value: str, more: str) -> None:
    for written in (value, GOOD[name] + more, more + GOOD[name]):
        environment = GOOD | {name: written}
        try:
            read = settings.read(environment)
        except BadSettings as refused:
            sentence = str(refused)
            assert sentence.startswith(f"{name} is ")
            assert sentence.endswith(".")
            assert len(sentence) < 600
            assert not ODD.search(sentence)
        else:
            assert not ODD.search("".join(vars(read).values()))
            region, account = read.home
            assert (region, len(account)) == ("eu-west-1", 12)
