#!/usr/bin/env python3
"""What the running program costs: memory without a model, start to ready, idle streaming connections held while answering.

usage: footprint.py [--connections 2000] [--json FILE]
Goals: idle memory without a model below 80 MB; ready (0.5B) below 3 s; 2,000 idle connections held while answering.
"""
import argparse
import json
import os
import pathlib
import resource
import socket
import statistics
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "http"))
from conftest import Server, requests  # noqa: E402


def memory_mb(pid):
    """Resident and proportional memory of a process, in MB (10^6 bytes)."""
    out = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        out[name.rstrip(":")] = int(value) * 1024 / 1e6
    return out["Rss"], out["Pss"]


def idle_memory(folder):
    server = Server(folder, [("# preload = true", "preload = false")]).start(ready=False)
    time.sleep(2)
    assert requests.get(server.url + "/healthz", timeout=10).status_code == 200
    rss, pss = memory_mb(server.process.pid)
    server.stop()
    return rss, pss


def start_to_ready(folder, runs):
    times = []
    server = Server(folder)
    for _ in range(runs + 1):  # the first reads the files into the page cache and hashes them
        begin = time.monotonic()
        server.start(ready=False)
        while requests.get(server.url + "/readyz", timeout=30).status_code != 200:
            time.sleep(0.01)
        times.append(time.monotonic() - begin)
        server.stop()
    return times[1:]


def idle_streams(folder, count):
    """Opens `count` keep-alive connections that hold an unanswered streaming request line by line, then asks over another one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 200)), hard))
    server = Server(folder).start()
    where = urllib.parse.urlparse(server.url)
    before = memory_mb(server.process.pid)[0]
    sockets = []
    for _ in range(count):
        s = socket.create_connection((where.hostname, where.port), timeout=10)
        s.sendall(f"GET /healthz HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        sockets.append(s)
    answered = sum(s.recv(4096).startswith(b"HTTP/1.1 200") for s in sockets)
    begin = time.monotonic()
    reply = server.call("POST", "/v1/chat/completions", json={"model": "qwen2.5-coder-0.5b-instruct", "max_tokens": 32, "messages": [{"role": "user", "content": "Say hello."}]})
    took = time.monotonic() - begin
    after = memory_mb(server.process.pid)[0]
    open_still = 0
    for s in sockets:
        s.sendall(f"GET /healthz HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
        open_still += s.recv(4096).startswith(b"HTTP/1.1 200")
        s.close()
    server.stop()
    return answered, open_still, reply.status_code, took, (after - before) * 1e3 / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        rss, pss = idle_memory(folder / "idle")
        print(f"idle memory without a model: {rss:.1f} MB resident, {pss:.1f} MB proportional")
        ready = start_to_ready(folder / "ready", options.runs)
        print(f"start to ready (0.5B): median {statistics.median(ready):.2f} s of {', '.join(f'{t:.2f}' for t in ready)}")
        answered, still, status, took, each = idle_streams(folder / "streams", options.connections)
        print(f"idle connections: {answered} of {options.connections} opened, {still} alive after an answer (HTTP {status}, {took:.1f} s) given meanwhile; {each:.1f} kB each")
    passed = rss < 80 and statistics.median(ready) < 3 and still == options.connections and status == 200
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"idle_rss_mb": rss, "idle_pss_mb": pss, "ready_s": ready, "connections": still, "answer_s": took}))
    print("all goals reached" if passed else "a goal is MISSED")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
