#!/usr/bin/env python3
"""Starting, watching and stopping the server."""
import os
import sqlite3
import threading
import time

from lib import oci
from lib.runner import equal, main, wait_for
from lib.server import BINARY, PASSWORD, UNSET, Server, environment, run_tool


def test_starts_without_configuration_and_stops_cleanly(folder):
    server = Server(folder)
    equal(server.web(user=None).get("/livez").status, 200)
    server.stop()
    assert "stopped" in server.log_tail(3), server.log_tail()


def test_first_start_prints_a_random_password_once(folder):
    server = Server(folder, start=False)
    server.settings = {"WHARFAGE_ADMIN_PASSWORD": UNSET}
    server.start()
    files = [os.path.join(d, f) for d, _, names in os.walk(server.data) for f in names if "password" in f]
    equal(len(files), 1, "password files")
    equal(os.stat(files[0]).st_mode & 0o777, 0o600, "its mode")
    with open(files[0]) as file:
        password = file.read().strip()
    assert len(password) >= 12
    equal(server.log().count(password), 1, "printed")
    equal(server.web("admin", password).get("/v2/").status, 200)
    server.restart()
    equal(server.log().count(password), 1, "printed after a second start")
    equal(server.web("admin", password).get("/v2/").status, 200)
    server.stop()


def test_readyz_tells_each_part(server):
    reply = server.web(user=None).get("/readyz?verbose")
    equal(reply.status, 200)
    text = reply.body.decode().lower()
    for part in ("database", "disk", "workers", "advisor"):
        assert part in text, f"/readyz?verbose says nothing of {part}: {text}"


def test_metrics_are_prometheus_text(server):
    reply = server.web(user=None).get("/metrics")
    if reply.status in (401, 403):
        reply = server.web().get("/metrics")
    equal(reply.status, 200)
    assert reply.headers["Content-Type"].startswith("text/plain"), reply.headers["Content-Type"]
    lines = [line for line in reply.body.decode().splitlines() if line and not line.startswith("#")]
    assert lines and all(len(line.rsplit(" ", 1)) == 2 for line in lines)
    for line in lines:
        float(line.rsplit(" ", 1)[1])
    assert any(line.startswith("wharfage_") for line in lines)


def test_answers_carry_a_request_id_that_the_log_knows(server):
    reply = server.web().get("/v2/")
    request_id = reply.headers.get("X-Request-Id")
    assert request_id, reply
    wait_for("the log line", lambda: request_id in server.log(), 30)


def test_unknown_pages_are_404_and_no_secret_is_logged(server):
    equal(server.web().get("/nothing/here").status, 404)
    equal(server.web().get("/v2/../../etc/passwd").status, 404)
    assert PASSWORD not in server.log()


def test_stop_finishes_a_request_in_flight(folder):
    server = Server(folder)
    web = server.web()
    data = oci.noise(3_000_000)
    location = web.post("/v2/team/app/blobs/uploads/").headers["Location"]
    name = oci.digest(data)
    half = threading.Event()
    result = {}

    def chunks():
        yield data[:1_000_000]
        half.set()
        wait_for("the stop to begin", lambda: stopping.is_set(), 60)
        time.sleep(0.3)
        yield data[1_000_000:]

    stopping = threading.Event()
    sender = threading.Thread(target=lambda: result.update(
        reply=web.put(f"{location}{'&' if '?' in location else '?'}digest={name}", chunks())))
    sender.start()
    assert half.wait(60)
    server.process.terminate()
    stopping.set()
    sender.join(120)
    equal(result["reply"].status, 201)
    equal(server.process.wait(120), 0, "exit code")
    server.process = None
    server.start()
    equal(server.web().head(f"/v2/team/app/blobs/{name}").status, 200)
    server.stop()


def test_second_server_on_the_same_data_is_refused(server):
    import subprocess
    done = subprocess.run([BINARY, "serve", "--data", server.data, "--listen", "127.0.0.1:0"], text=True,
                          env=environment({}, server.folder), capture_output=True, timeout=120)
    assert done.returncode != 0, done


def test_bad_settings_are_named(folder):
    done = run_tool("serve", "--data", folder, settings={"server.workerz": "2"}, check=False)
    assert done.returncode in (1, 2) and "server.workerz" in done.stdout + done.stderr, done
    done = run_tool("serve", "--data", folder, settings={"server.workers": "many"}, check=False)
    assert done.returncode in (1, 2) and "server.workers" in done.stdout + done.stderr, done
    equal(run_tool("no-such-command", check=False).returncode, 2)


def test_a_newer_schema_is_refused(folder):
    server = Server(folder)
    server.stop()
    databases = [os.path.join(d, f) for d, _, names in os.walk(server.data) for f in names
                 if f.endswith((".db", ".sqlite", ".sqlite3"))]
    equal(len(databases), 1, "databases")
    with sqlite3.connect(databases[0]) as db:
        (table,) = [row[0] for row in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%migration%'")][:1] or (None,)
        assert table, "no table of migrations"
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        row = list(db.execute(f"SELECT * FROM {table} ORDER BY 1 DESC LIMIT 1").fetchone())
        number = next(i for i, value in enumerate(row) if isinstance(value, int))
        row[number] = 2_000_000
        db.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(row))})", row)
    done = run_tool("serve", "--data", server.data, "--listen", "127.0.0.1:0", check=False)
    assert done.returncode == 1 and "newer" in (done.stdout + done.stderr).lower(), done


def test_a_lost_master_key_is_told_and_not_replaced(folder):
    server = Server(folder)
    server.stop()
    key = os.path.join(server.data, "master.key")
    os.rename(key, key + ".away")
    done = run_tool("serve", "--data", server.data, "--listen", "127.0.0.1:0", check=False)
    assert done.returncode == 1 and "master.key" in done.stdout + done.stderr, done
    assert not os.path.exists(key)
    os.rename(key + ".away", key)
    server.start()
    server.stop()


if __name__ == "__main__":
    main()
