"""Brings the policies of an OPA server to a given set, and back to the last good one when they don't compile there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reconciler.model.errors import PolicyUnavailable
from reconciler.policy.bundle import PACKAGE, Module, PolicySet
from reconciler.policy.server import Server

#: Ids of our modules on the server; what others keep there isn't touched.
_PREFIX = "reconciler/"
#: A document on the server: the names of the others that we put there.
_DOCUMENTS = "reconciler_documents"

_PACKAGE = re.compile(r"^package\s+(\S+).*$", re.MULTILINE)
_IMPORT = re.compile(r"^import\s.*$", re.MULTILINE)


class Uploader:
    """Uploads policy sets. The caller (Keeper) makes sure that one upload runs at a time.

    ``generation`` changes when an upload begins and when it ends. ``lost`` says that what the server holds now is
    unknown, so that nothing may be decided before the next successful upload.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._good: PolicySet | None = None
        self.generation = 0
        self.lost = False

    def install(self, policies: PolicySet, accept: Callable[[], None]) -> None:
        """Upload a set; ``accept`` raises if the server doesn't decide with it. On failure the last good set returns.

        Raises PolicyUnavailable.
        """
        self.generation += 1
        try:
            self._upload(policies)
            accept()
        except PolicyUnavailable:
            self.lost = True
            self._restore()
            raise
        finally:
            self.generation += 1
        self._good = policies
        self.lost = False

    def _restore(self) -> None:
        if self._good is None:
            return
        try:
            self._upload(self._good)
        except PolicyUnavailable:
            return  # stays lost
        self.lost = False

    def _upload(self, policies: PolicySet) -> None:
        wanted = {_PREFIX + package: source for package, source in _by_package(policies.modules).items()}
        present = {name: text for name, text in self._server.policies().items() if name.startswith(_PREFIX)}
        self._put_data(policies.data)
        if present != wanted and not self._replace(present, wanted):
            # Some sets can't be reached step by step (a rule moved between files): start from nothing.
            self._clear(present)
            self._put_all(wanted)

    def _put_data(self, documents: Mapping[str, Any]) -> None:
        """Set the documents and remove those of an earlier set, which the server itself remembers for us."""
        ours = self._server.data(_DOCUMENTS)
        before = {name for name in ours if isinstance(name, str)} if isinstance(ours, list) else set()
        self._server.put_data({**documents, _DOCUMENTS: sorted(before | documents.keys())})
        for name in sorted(before - documents.keys() - {PACKAGE, _DOCUMENTS}):
            self._server.delete_data(name)
        self._server.put_data({_DOCUMENTS: sorted(documents)})

    def _replace(self, present: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
        try:
            self._put_all({name: text for name, text in wanted.items() if present.get(name) != text})
            for name in present.keys() - wanted.keys():
                self._server.delete_policy(name)
        except PolicyUnavailable as error:
            if error.cause != "compile":
                raise
            return False
        return True

    def _clear(self, present: Mapping[str, str]) -> None:
        held = {name for name in self._server.policies() if name.startswith(_PREFIX)} or set(present)
        self._in_any_order(held, self._server.delete_policy)

    def _put_all(self, modules: Mapping[str, str]) -> None:
        self._in_any_order(set(modules), lambda name: self._server.put_policy(name, modules[name]))

    def _in_any_order(self, names: set[str], change: Callable[[str], None]) -> None:
        """Apply ``change`` to every name. OPA compiles after each one, so what needs another has to wait for it."""
        while names:
            refused: dict[str, PolicyUnavailable] = {}
            for name in sorted(names):
                try:
                    change(name)
                except PolicyUnavailable as error:
                    if error.cause != "compile":
                        raise
                    refused[name] = error
            if len(refused) == len(names):
                raise next(iter(refused.values()))
            names = set(refused)


def _by_package(modules: Iterable[Module]) -> dict[str, str]:
    """One source for each package. OPA compiles after every upload, and files of a package need each other."""
    bodies: dict[str, list[str]] = defaultdict(list)
    imports: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        found = _PACKAGE.search(module.source)
        package = found[1] if found else ""
        imports[package].update(_IMPORT.findall(module.source))
        bodies[package].append(_IMPORT.sub("", _PACKAGE.sub("", module.source, count=1)))
    return {
        package: "\n".join([f"package {package}", *sorted(imports[package]), *parts])
        for package, parts in bodies.items()
    }
