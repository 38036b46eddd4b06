"""Secrets are masked wherever text leaves, whoever wrote it."""

from __future__ import annotations

import base64
import html
import json
import logging
from collections.abc import Iterator
from io import StringIO
from urllib.parse import quote, quote_plus

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from reconciler.live import compare
from reconciler.model.codec import to_json
from reconciler.model.errors import AwsFault, FaultKind, StoreError
from reconciler.model.secrecy import MASK, forget_all, is_sealed, know, scrub, scrubbed, seal, use_key
from reconciler.model.values import Sensitive, sealed
from reconciler.schema import schema_for
from reconciler.status import logs
from reconciler.testing.samples import a_report

SECRET = 'corréct horse/battery "staple"'


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def test_a_sensitive_value_is_masked_in_everybodys_texts() -> None:
    assert scrub(f"invalid value {SECRET!s} given") == f"invalid value {SECRET} given"
    Sensitive(SECRET)
    assert scrub(f"invalid value {SECRET} given") == f"invalid value {MASK} given"


@pytest.mark.parametrize(
    "spell",
    [
        str,
        repr,
        lambda text: json.dumps(text)[1:-1],
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: json.dumps([text]),
        html.escape,
    ],
)
def test_every_spelling_is_masked(spell: object) -> None:
    Sensitive([SECRET])
    text = spell(SECRET)  # type: ignore[operator]
    assert MASK in scrub(f"x {text} y")
    assert "staple" not in scrub(f"x {text} y")


@given(st.text(min_size=8, max_size=40), st.binary(max_size=7), st.binary(max_size=7))
def test_base64_of_a_text_with_a_secret_in_it_doesnt_give_it_away(secret: str, before: bytes, after: bytes) -> None:
    forget_all()
    raw = secret.encode(errors="surrogatepass")
    know(secret)
    text = scrub(base64.b64encode(before + raw + after).decode())
    assert MASK in text
    assert len(text) - len(MASK) <= 4 * (len(before) + len(after) + 4) / 3 + 4


def test_a_long_number_is_a_secret_text_and_a_port_is_none() -> None:
    know(73910468)
    know(8080)
    assert scrub("pin 73910468, port 8080") == f"pin {MASK}, port 8080"


def test_what_is_hidden_for_its_place_only_stays_legible_elsewhere() -> None:
    assert str(Sensitive("Standard", placed=True)) == MASK
    assert scrub("the Standard tier") == "the Standard tier"


def test_among_many_secrets_each_is_still_found() -> None:
    for number in range(200):
        know(f"secret-number-{number:04}")
    assert scrub("x secret-number-0123 y") == f"x {MASK} y"
    assert scrub("nothing") == "nothing"
    forget_all()
    assert scrub("secret-number-0123") == "secret-number-0123"


def test_what_stands_beside_a_secret_in_a_document_is_none() -> None:
    Sensitive({"Effect": "Allow", "Password": SECRET})
    assert scrub("Allow") == "Allow"


def test_short_secrets_are_masked_as_words_only() -> None:
    Sensitive("abcd")
    assert scrub("abcd, abcde and xabcd") == f"{MASK}, abcde and xabcd"


def test_a_line_of_a_secret_is_one_too() -> None:
    Sensitive("-----BEGIN KEY-----\nbase64-of-the-key\n-----END KEY-----")
    assert "base64-of-the-key" not in scrub("near base64-of-the-key")


def test_errors_dont_quote_secrets_whoever_made_their_message() -> None:
    Sensitive(SECRET)
    fault = AwsFault(FaultKind.INVALID_REQUEST, f"value {SECRET} is invalid", service="ssm", operation="PutParameter")
    assert SECRET not in fault.message
    assert SECRET not in str(fault)
    assert SECRET not in str(StoreError(f"can't write {SECRET}"))


def test_what_is_stored_or_answered_is_scrubbed_and_stays_json() -> None:
    Sensitive(SECRET)
    Sensitive("true")
    report = a_report(message=f"AWS said: {SECRET}")
    text = to_json(report)
    assert "staple" not in text
    assert json.loads(text)["message"] == f"AWS said: {MASK}"


def test_tracebacks_in_the_log_are_scrubbed() -> None:
    Sensitive(SECRET)
    out = StringIO()
    logs.configure("info", "json", out)
    try:
        raise ValueError(SECRET)
    except ValueError:
        structlog.get_logger("x").exception("broke", detail=SECRET)
    logging.getLogger("other").warning("a library says %s", SECRET)
    assert "staple" not in out.getvalue()
    assert out.getvalue().count(MASK) >= 3


@given(st.text(min_size=8, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_of_some_length_survives(secret: str, before: str, after: str) -> None:
    forget_all()
    know(secret)
    if secret not in MASK:
        assert secret not in scrub(before + secret + after).replace(MASK, "")


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_values_without_secrets_come_through_unchanged(value: object) -> None:
    forget_all()
    know("a secret that nobody has")
    assert scrubbed(value) == value


def test_a_sealed_value_tells_change_but_not_content() -> None:
    use_key(b"k" * 32)
    one, same, other = (
        sealed({"Password": Sensitive(text)})["Password"] for text in ("hunter22", "hunter22", "hunter23")
    )
    assert one == same != other
    assert is_sealed(one)
    assert "hunter22" not in one
    use_key(b"x" * 32)
    assert seal("hunter22") != one


def test_a_changed_write_only_value_is_a_change_of_the_plan() -> None:
    """AWS never returns it, so only what was applied last can tell."""
    schema = schema_for("AWS::SecretsManager::Secret")
    assert schema is not None
    before, after = {"SecretString": Sensitive("old-value")}, {"SecretString": Sensitive("new-value")}
    assert compare(schema, before, {}, sealed(before)) == ()
    use_key(b"another installation's key")
    made_elsewhere = sealed(before)
    use_key(b"k" * 32)
    assert compare(schema, after, {}, made_elsewhere) == (), "two daemons with a key each must not fight"
    (change,) = compare(schema, after, {}, sealed(before))
    assert (change.path, change.reason) == ("/SecretString", "plan")
    assert "new-value" not in str(change)
