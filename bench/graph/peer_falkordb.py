"""FalkorDB: starts a server of its own, loads the blobs of a folder, then runs the work."""

import os
import shutil
import subprocess
import tempfile
import time

import redis

from peer import Clock, loaded, measure, say, works


def start(server, place, servers):
    socket = os.path.join(place, "socket")
    process = subprocess.Popen(
        [*server["command"], "--port", "0", "--unixsocket", socket, "--save", "", "--dir", place]
        + ["--proto-max-bulk-len", "1gb", "--client-query-buffer-limit", "2gb", "--loadmodule", server["module"]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    servers.append(process)
    client = redis.Redis(unix_socket_path=socket, socket_timeout=None)
    for _ in range(600):
        try:
            if process.poll() is not None:
                raise SystemExit(f"the server ended at once with {process.returncode}")
            client.ping()
            return process, client
        except redis.ConnectionError:
            time.sleep(0.05)
    raise SystemExit("the server did not answer within 30 s")


def load(client, folder):
    first = True
    with open(os.path.join(folder, "falkordb.txt")) as lines:
        for line in lines:
            what, rows, name = line.split()
            with open(os.path.join(folder, name), "rb") as file:
                blob = file.read()
            counts = [rows, 0, 1, 0] if what == "node" else [0, rows, 0, 1]
            client.execute_command("GRAPH.BULK", "bench", *(["BEGIN"] if first else []), *counts, blob)
            first = False


def index(client, labels):
    """An index on the key of what queries start from; it is made in the background."""
    for label in labels:
        client.execute_command("GRAPH.QUERY", "bench", f"CREATE INDEX FOR (n:{label}) ON (n.key)")
    while any(row[0] != "OPERATIONAL" for row in rows_of(client, "CALL db.indexes() YIELD status RETURN status")):
        time.sleep(0.01)


def value(cell):
    """A cell as the compact form has it: a number for the type, and the value as Redis has it."""
    of, value = cell
    if of == 5:
        return float(value)
    if of == 4:
        return value == b"true"
    return value.decode() if isinstance(value, bytes) else value


def rows_of(client, query, milliseconds=0):
    limit = ["timeout", milliseconds] if milliseconds else []
    answer = client.execute_command("GRAPH.QUERY", "bench", query, *limit, "--compact")
    return [[value(cell) for cell in row] for row in answer[1]] if len(answer) > 1 else []


def main():
    place = tempfile.mkdtemp(prefix="falkordb-")
    servers = []

    def end():
        for server in servers:
            server.kill()
            server.wait()
        shutil.rmtree(place, ignore_errors=True)

    todo = works(end)
    try:
        server, client = start(todo["server"], place, servers)
        version = next(one for one in client.execute_command("MODULE", "LIST") if one[b"name"] == b"graph")[b"ver"]
        say(version=f"FalkorDB {version // 10000}.{version // 100 % 100}.{version % 100}")
        clock = Clock(server.pid)
        load(client, todo["folder"])
        index(client, todo["indexed"])
        (nodes,), (relations,) = (
            rows_of(client, query)[0] for query in ("MATCH (n) RETURN count(n)", "MATCH ()-[r]->() RETURN count(r)")
        )
        loaded(server.pid, clock, [[nodes, relations]])
        limit = int(todo["seconds"] * 1000)
        measure(server.pid, todo, "falkordb", lambda query: rows_of(client, query, limit))
    finally:
        end()


if __name__ == "__main__":
    main()
