#!/usr/bin/env python3
"""Records what a server of an earlier version stored and answered, for upgrade_test.go.

    record.py SOURCES TALLY NAME

SOURCES is a checkout of that version, TALLY the program built from it, NAME what the files are called. Writes NAME.sql.gz, the
database as INSERT statements, and NAME.answers.ndjson: appends and the sequences that they got, reads and what they answered.
Needs pg_dump. Runs its server on loopback and ends it.
"""

import gzip
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

sources, tally, name = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
address = "127.0.0.1:18999"
answers = []

PRICES = '{"prices":{"gpt-4":{"tokens_in":"0.00003","tokens_out":"0.00006"},"*":{"tokens_in":"0.00001","tokens_out":"0.00001"}}}'
METER = ('{"value":"/tokens_in","unique":"/user","aggregations":["sum","count","min","max","average","latest","unique","p95"],'
         '"group_by":{"model":"/model","team":"/team"},"resolution":"hour"}')
SPREAD = '{"aggregations":["count"],"group_by":{"user":"/user"}}'


def call(method, path, body=b"", headers=None):
    request = urllib.request.Request("http://" + address + path, data=body or None, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read()


def do(method, path, body=b"", headers=None):
    status, answer = call(method, path, body, headers)
    if status >= 300:
        sys.exit(f"{method} {path}: {status} {answer!r}")
    return json.loads(answer)


def append(log, body, headers=None):
    """Appends, and notes what a retry must answer where the event has an identity."""
    answer = do("POST", f"/logs/{log}/append", body.encode(), headers)
    if headers or '"id"' in body:
        answers.append({"do": "retry", "path": f"/logs/{log}/append", "headers": headers or {}, "body": body, "sequence": answer["sequence"]})


def deploy(log, view, module, config=None):
    query = "?config=" + urllib.parse.quote(config) if config else ""
    do("POST", f"/logs/{log}/views/{view}{query}", (sources / module).read_bytes())


def note(path):
    status, body = call("GET", path)
    if status != 200:
        sys.exit(f"GET {path}: {status} {body!r}")
    answers.append({"do": "read", "path": path, "body": body.decode()})


def script(*lines):
    return json.dumps({"script": "\n".join("\t".join(line) for line in lines)})


def fill():
    do("POST", "/logs", b'{"name": "customer-acme", "labels": {"plan": "gold", "note": "a\\"b"}}')
    deploy("customer-acme", "monthly-totals", "views/dist/monthly_totals.wasm")
    do("POST", "/views/all-costs?logs=customer-*&config=" + urllib.parse.quote(PRICES), (sources / "views/dist/cost_by_team.wasm").read_bytes())
    for log in ("customer-bolt", "other"):
        do("POST", "/logs", json.dumps({"name": log}).encode())
    deploy("customer-acme", "rates", "views/dist/rate_check.wasm")
    deploy("customer-acme", "meter", "views/dist/meter.wasm", METER)
    for n in range(120):
        event = {"type": "api.call", "time": f"2025-{n % 3 + 3:02}-{n % 28 + 1:02}T{n % 24:02}:{n % 60:02}:30Z", "model": ("gpt-4", "gpt-3.5", "ünï")[n % 3],
                 "team": ("search", "ads", None)[n % 3], "user": f"u{n % 7}", "tokens_in": (n * 37 % 1000, f"{n}.25", n / 8)[n % 3], "tokens_out": n * 11}
        if n % 2:
            event |= {"id": f"e{n}", "source": "gateway"}
        append("customer-acme", json.dumps(event))
        append("customer-bolt", json.dumps(event, ensure_ascii=False), {"Idempotency-Key": f"key-{n}"} if n % 5 == 0 and n % 2 == 0 else None)
    # Surrounding white space was part of what a header's key stood for; a header took the place of an id.
    append("customer-acme", ' {"model":"gpt-4","time":"2025-05-02T00:00:00Z","tokens_in":1} \n', {"Idempotency-Key": "padded"})
    append("customer-acme", '{"id":"both","model":"gpt-4","time":"2025-05-02T00:00:00Z","tokens_in":2}', {"Idempotency-Key": "header"})
    # What PostgreSQL's json operators cannot take.
    for hostile in ('"cut \\ud83d"', '"nul \\u0000"', '"\\udc00\\ud800"', "1e400000", '"' + "x" * 2000 + '"'):
        append("customer-acme", '{"type":"api.call","time":"2025-05-03T00:00:00Z","model":"m","tokens_in":3,"prompt":' + hostile + "}")
        append("customer-acme", '{"type":"api.call","time":"2025-05-03T00:00:00Z","model":"m","user":"x","tokens_in":' + hostile + ',"tokens_out":"1,000"}')
    append("customer-acme", '{"type":"c1 \\u0085 type","time":"2025-05-03T00:00:00Z","tokens_in":1e17,"model":"m","user":12,"team":"1"}')
    append("customer-acme", '{"type":"api.call","time":"9999-05-03T00:00:00Z","tokens_in":5,"model":"m","user":12.0,"team":1}')
    lines = "".join(json.dumps({"id": f"b{n}", "model": "gpt-4", "time": "2025-05-04T10:00:00Z", "tokens_in": n}) + "\r\n" for n in range(600))
    do("POST", "/logs/other/append_batch", lines.encode())
    answers.append({"do": "retry", "path": "/logs/other/append_batch", "headers": {}, "body": lines, "sequence": 1})
    keyed = '[{"n":1}, {"n":2} ,{"n":3}]'
    do("POST", "/logs/other/append_batch", keyed.encode(), {"Idempotency-Key": "batch"})
    answers.append({"do": "retry", "path": "/logs/other/append_batch", "headers": {"Idempotency-Key": "batch"}, "body": keyed, "sequence": 601})

    # Lives of views: halted; replaced and retired; of a state too large to be held whole.
    deploy("other", "halts", "internal/testrig/scripted/scripted.wasm")
    append("other", script(("set", "a", "1")))
    append("other", script(("trap",)))
    append("other", script(("set", "a", "2")))
    deploy("customer-bolt", "meter", "views/dist/meter.wasm", SPREAD)
    deploy("customer-bolt", "meter", "views/dist/meter.wasm", METER)
    deploy("other", "retired", "views/dist/rate_check.wasm")
    do_delete = call("DELETE", "/logs/other/views/retired")
    if do_delete[0] != 204:
        sys.exit(f"retiring: {do_delete}")


def read():
    for log in ("customer-acme", "customer-bolt", "other"):
        note(f"/logs/{log}")
        note(f"/logs/{log}/events?stream=true&format=ndjson")
        note(f"/logs/{log}/events?limit=7&after=3")
    note("/logs/customer-acme/views/monthly-totals/query")
    note("/logs/customer-acme/views/monthly-totals/query?month=2025-05")
    note("/logs/customer-acme/views/all-costs/query")
    note("/logs/customer-bolt/views/all-costs/query?team=search")
    note("/logs/customer-acme/views/rates/query?time=2025-05-03T00:00:30Z&minutes=5")
    for log in ("customer-acme", "customer-bolt"):
        note(f"/logs/{log}/views/meter/query?window=month&timezone=Europe/Berlin")
        note(f"/logs/{log}/views/meter/query?group_by=*&window=day")
        note(f"/logs/{log}/views/meter/query?uncounted")


def main():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o755)
        server = subprocess.Popen([tally, "dev", "--data-dir", folder + "/tally", "--listen", address])
        try:
            for _ in range(300):
                try:
                    if call("GET", "/readyz")[0] == 200:
                        break
                except OSError:
                    time.sleep(0.1)
            else:
                sys.exit("the server did not start")
            fill()
            read()
            dump = subprocess.run(["pg_dump", "--host", folder + "/tally/run", "--username", "postgres", "--no-owner", "--inserts", "--rows-per-insert", "200",
                                   "tally"], check=True, capture_output=True, text=True).stdout
        finally:
            server.terminate()
            server.wait(60)
    # psql's own commands are no SQL.
    dump = "".join(line for line in dump.splitlines(keepends=True) if not line.startswith("\\"))
    with gzip.GzipFile(name + ".sql.gz", "wb", mtime=0) as out:
        out.write(dump.encode())
    with open(name + ".answers.ndjson", "w", encoding="utf-8") as out:
        for answer in answers:
            out.write(json.dumps(answer) + "\n")


main()
