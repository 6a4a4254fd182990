"""A load generator that costs as little as possible: prebuilt requests over keep-alive connections, on raw sockets.

It runs in a process of its own, so that what it costs is not counted as the server's; on a machine of two cores it
still takes its share of them.
"""

import asyncio
import statistics
import time
from collections.abc import Callable

import msgspec


class Result(msgspec.Struct, frozen=True):
    """What a run came to: requests answered, how long it took, and each request's latency in milliseconds."""

    requests: int
    seconds: float
    latencies_ms: list[float]
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def percentile(self, percent: float) -> float:
        return statistics.quantiles(self.latencies_ms, n=1000, method="inclusive")[round(percent * 10) - 1]


def request_bytes(method: str, path: str, api_key: str, body: bytes = b"") -> bytes:
    """Return a whole HTTP/1.1 request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: {api_key}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def run(
    port: int, make: Callable[[], bytes], *, connections: int, seconds: float, requests_max: int | None = None
) -> Result:
    """Send requests over so many connections, each waiting for its answer before the next, for so many seconds."""
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    began = time.perf_counter()
    deadline = began + seconds
    left = requests_max if requests_max is not None else 1 << 60

    async def connection() -> None:
        nonlocal left
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        while time.perf_counter() < deadline and left > 0:
            left -= 1
            request = make()
            sent = time.perf_counter()
            writer.write(request)
            status = await _read_response(reader)
            latencies.append((time.perf_counter() - sent) * 1000)
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return Result(len(latencies), time.perf_counter() - began, latencies, statuses)


async def _read_response(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    start = head.lower().index(b"content-length:") + 15
    length = int(head[start : head.index(b"\r\n", start)])
    if length:
        await reader.readexactly(length)
    return int(head[9:12])
