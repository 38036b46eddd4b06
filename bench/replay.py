"""A read-only stand-in for AWS that replays an emulator's answers from memory, so that the client is what is timed.

Usage: replay.py PORT UPSTREAM_PORT [LATENCY_MS]. The first time a request is seen it goes upstream; after that its
recorded bytes are sent. ``GET /__count__`` returns the number of requests since it was last asked. Reads only: a
write would be replayed too.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
from collections import Counter

_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class Replay:
    def __init__(self, port: int, upstream: int, latency: float) -> None:
        self.port, self.upstream, self.latency = port, upstream, latency
        self.answers: dict[tuple[str, ...], bytes] = {}
        self.counts: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if path == "/__count__":
            data = json.dumps({"calls": self.counts.total(), "by": self.counts.most_common()}).encode()
            self.counts.clear()
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(data) + data)
            await writer.drain()
            return False
        credential = headers.get("authorization", "").partition("Credential=")[2].split("/")
        service = credential[3] if len(credential) > 3 else "?"
        operation = headers.get("x-amz-target", "").rpartition(".")[2] or method
        self.counts[f"{service}:{operation}"] += 1
        key = (method, path, service, operation, body.decode("latin-1"))
        if key not in self.answers:
            loop = asyncio.get_running_loop()
            self.answers[key] = await loop.run_in_executor(None, self._forward, method, path, headers, body)
        if self.latency:
            await asyncio.sleep(self.latency)
        writer.write(self.answers[key])
        await writer.drain()
        return True

    def _forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream)
        kept = {key: value for key, value in headers.items() if key not in ("connection", "content-length", "expect")}
        connection.request(method, path, body, kept)
        answer = connection.getresponse()
        data = answer.read()
        head = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        head += [f"{key}: {value}" for key, value in answer.getheaders() if key.lower() not in _HOP]
        connection.close()
        return ("\r\n".join(head) + f"\r\ncontent-length: {len(data)}\r\n\r\n").encode("latin-1") + data


async def main() -> None:
    port, upstream = int(sys.argv[1]), int(sys.argv[2])
    replay = Replay(port, upstream, float(sys.argv[3]) / 1e3 if len(sys.argv) > 3 else 0.0)
    async with await asyncio.start_server(replay.serve, "127.0.0.1", port, limit=1 << 24) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
