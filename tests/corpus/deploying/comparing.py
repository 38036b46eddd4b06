"""Whether two accounts hold the same: the answers of both, without what has to differ.

Physical ids, generated names, account numbers, times and random tokens are replaced by what they stand for. What a
template spells out itself is never taken for random.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.corpus.deploying.crawling import World
from tests.corpus.deploying.emulator import says_nothing

#: leaves whose value is when or how often something happened, or who asked
_VOLATILE = re.compile(
    r"(?i)((?<!run)time|date|timestamp|created|modified|createdat|updatedat|lastupdated|versionid|revisionid|fingerprint|digest|sha256"
    r"|requesterid|ownerdisplay|lastused|lastwritten|etag|changetoken|hostid|sequencetoken|privatednsname|publicdnsname|uptime|"
    r"maxresults|token|marker|truncated|callerreference|defaultversionid|latestversionnumber|revision|numberofdecreasestoday)$"
)
_RANDOM = (
    re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    re.compile(r"\b(?:ip|ec2)-\d+-\d+-\d+-\d+[a-z0-9.-]*"),
    re.compile(r"\b[a-z]{1,12}(?:-[a-z]{1,12})?-[0-9a-f]{8,20}\b"),
    re.compile(r"\b[0-9a-f]{16,128}\b"),
    re.compile(r"\b(?=[A-Z0-9]*\d)[A-Z0-9]{10,40}\b"),
    re.compile(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b(?!/)"),
    re.compile(r"\b(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{10}\b"),
    re.compile(r"\b(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{20,}\b"),
    re.compile(r"\b[a-z]{20}\b"),  # an id of IAM's, which is by chance all letters
    re.compile(r"\bus-east-1[a-f]\b|\buse1-az\d\b"),
    re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\dZ+:]*"),
    re.compile(r"(?:[0-9a-f]{2}:){5,}[0-9a-f]{2}"),
    re.compile(r"\b\d{10,13}(?:\.\d+)?\b"),
    re.compile(r"127\.0\.0\.1:\d+"),
    re.compile(r"(?<=\.)[0-9a-f]{12}(?=\.[a-z0-9-]+\.redshift\.)"),
    re.compile(r"\b\d{4}-\d\d-\d\d-\d\d-\d\d\b"),
)
_QUEUE_HOST = re.compile(r"https?://[^/\"]*/\d{12}/(?=[\w.-]+)")
_OWN_TAGS = ("reconciler:", "aws:cloudformation:")
#: a policy's version, of which moto's stacks make a date where it has no quotes; AWS takes it for text
_DATE = re.compile(r"datetime\.date\((\d+), (\d+), (\d+)\)")


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of one account's answers stand for.

    ``ids``: physical ids and the logical ones of their resources. ``prefix``: how generated names begin.
    ``literal``: the text of the template. ``tags``: whether ownership tags count, as they do in one account alone.
    """

    account: str
    prefix: str
    ids: Mapping[str, str]
    literal: str
    tags: bool = False

    def plain(self, text: str) -> str:
        """``text`` with what is the account's own replaced."""
        text = _QUEUE_HOST.sub("", text)
        for physical, logical in self._longest_first():
            text = text.replace(physical, f"‹{logical}›")
        text = text.replace(self.account, "‹account›")
        text = re.sub(
            rf"(?i)\b{re.escape(self.prefix)}-([A-Za-z0-9]+?)-[A-Za-z0-9]+(\.fifo)?\b",
            lambda found: f"‹{self._logical(found[1])}›",
            text,
        )
        for pattern in _RANDOM:
            text = pattern.sub(self._random, text)
        return text

    def _random(self, found: re.Match[str]) -> str:
        # a network in the template isn't the address that its first host happens to get
        return found[0] if re.search(rf"{re.escape(found[0])}(?!/\d)", self.literal) else "‹#›"

    def _logical(self, name: str) -> str:
        fits = [one for one in self.ids.values() if one.lower() == name.lower()]
        # where names are short, moto cuts the logical id
        cut = [one for one in self.ids.values() if len(name) > 5 and one.lower().startswith(name.lower())]
        return (fits or cut or [name])[0]

    def _longest_first(self) -> list[tuple[str, str]]:
        spelled: dict[str, str] = {}
        ids = sorted(self.ids.items(), key=lambda item: item[1])
        for physical, logical in ids:
            if "|" not in physical:
                plain = _QUEUE_HOST.sub("", physical)
                # an ARN by its end alone: what stands before it is the same everywhere
                part = _end(plain) if plain.startswith("arn:") else plain
                if len(part) >= 4 and part not in self.literal:
                    spelled.setdefault(part, logical)
        for physical, logical in ids:  # what has several parts begins with its own, or with another's
            if "|" in physical and physical.split("|")[0] not in self.literal:
                spelled.setdefault(physical.split("|")[0], logical)
        return sorted(spelled.items(), key=lambda item: -len(item[0]))


def _end(arn: str) -> str:
    """The name or id that an ARN ends in, without a version."""
    return re.sub(r":\d+$", "", re.split(r"/", arn.split(":", 5)[-1])[-1]).split(":")[-1]


def plain_world(world: World, words: Words) -> dict[str, Any]:
    """The answers by what was asked, in words that mean the same in every account."""
    found: dict[str, list[Any]] = {}
    for (name, parameters), answer in world.items():
        if isinstance(answer, str):  # an error: nothing there, or the emulator hasn't got it
            continue
        key = f"{name} {words.plain(_text(_plain_value(json.loads(parameters), words)))}"
        found.setdefault(key, []).append(_plain_value(answer, words))
    plain = {key: answers[0] if len(answers) == 1 else sorted(answers, key=_text) for key, answers in found.items()}
    return {key: answer for key, answer in plain.items() if answer not in ({}, [])}


def leaves(answers: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """Every value with where it is; items of lists by what they are of, not by their place."""
    found: Counter[tuple[str, str]] = Counter()
    for question, answer in answers.items():
        for path, value in _leaves(answer, ""):
            found[f"{question} {path}", value] += 1
    return found


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[tuple[str, list[str], list[str]]]:
    """Where two accounts differ: place, the values that only the left one has, and the right one's."""
    ours, theirs = leaves(left), leaves(right)
    places: dict[str, tuple[list[str], list[str]]] = {}
    for (path, value), count in (ours - theirs).items():
        places.setdefault(path, ([], []))[0].extend([value] * count)
    for (path, value), count in (theirs - ours).items():
        places.setdefault(path, ([], []))[1].extend([value] * count)
    return [(path, sorted(one), sorted(two)) for path, (one, two) in sorted(places.items())]


def _plain_value(value: Any, words: Words) -> Any:
    if isinstance(value, Mapping):
        kept = {
            words.plain(str(key)): _plain_value(item, words)
            for key, item in value.items()
            if not (_VOLATILE.search(str(key)) or (key == "Version" and isinstance(item, int)))
            and (words.tags or not str(key).startswith(_OWN_TAGS))
        }
        return {key: item for key, item in sorted(kept.items()) if item not in ({}, [], None, "")}
    if isinstance(value, list):
        said = [item for item in value if not says_nothing(item)]
        items = [_plain_value(item, words) for item in said if words.tags or not _is_own_tag(item)]
        return sorted((item for item in items if item not in ({}, [], None, "")), key=_text)
    if isinstance(value, str):
        document = _document(value)
        return words.plain(value) if document is None else _plain_value(document, words)
    return value


def _document(text: str) -> Any:
    text = _DATE.sub(r"'\1-\2-\3'", text)
    if text[:1] in ("{", "[") and text[-1:] in ("}", "]"):
        for read in (json.loads, ast.literal_eval):  # moto's stacks keep some documents as Python writes them
            try:
                return read(text)
            except (ValueError, SyntaxError):
                continue
    return None


def _is_own_tag(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return False
    if isinstance(item.get("Tag"), Mapping):  # a tag with what it is on
        return _is_own_tag(item["Tag"])
    key = next((item[name] for name in ("Key", "key", "TagKey") if name in item), "")
    return str(key).startswith(_OWN_TAGS)


def _leaves(value: Any, path: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, f"{path}[{_label(item)}]")
    else:
        yield path, _text(value)


def _label(item: Any) -> str:
    """What an item of a list is about, where one of its values says so."""
    if not isinstance(item, Mapping):
        return ""
    own = [str(value) for value in item.values() if isinstance(value, str) and re.fullmatch(r"‹[^#›]+›", value)]
    named = [item[key] for key in item if str(key).lower() in ("key", "name", "id", "policyname", "indexname")]
    return str(min(own, default="")) or str(next((value for value in named if isinstance(value, str)), ""))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)


Reader = Callable[[str], Any]
