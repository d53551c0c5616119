"""Operations that appends and streams do not show: each against a server, and the iterators over all pages."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

import tallystick
from tallystick import AsyncTally, Tally, TallyError
from tallystick.testing import Server

from .conftest import ROOT
from .proxy import Answer, Proxy


def test_logs(client: Tally, log: str) -> None:
    made = client.ensure_log(log + "/".replace("/", "+a@b:c~"), {"labels": {"plan": "gold"}})
    assert client.ensure_log(made["name"])["log_id"] == made["log_id"]
    with pytest.raises(TallyError, match="name_taken"):
        client.ensure_log(made["name"], {"labels": {"plan": "lead"}})
    for n in range(5):
        client.ensure_log(f"{log}-{n}")
    names = [found["name"] for found in client.logs(prefix=log + "-", limit=2)]
    assert names == [f"{log}-{n}" for n in range(5)]
    page = client.list_logs(prefix=log + "-", limit=2)
    assert len(page["logs"]) == 2
    assert page.get("next_cursor")
    for strange in ("..", ".", ""):
        with pytest.raises(ValueError, match="no name"):
            client.get_log(strange)
    with pytest.raises(TallyError, match="log_not_found"):
        client.get_log("a/b?c#d%2e ☃")


def test_reading(client: Tally, log: str) -> None:
    past = datetime(2025, 3, 1, tzinfo=timezone.utc)
    client.append_events(
        log, [{"type": "a" if n % 2 else "b", "time": past + timedelta(hours=n), "n": n} for n in range(20)]
    )
    assert [e["data"]["n"] for e in client.events(log, type="a", limit=3)] == list(range(1, 20, 2))
    assert [e["sequence"] for e in client.events(log, from_=3, to=6)] == [3, 4, 5, 6]
    assert [e["sequence"] for e in client.events(log, after=18)] == [19, 20]
    between = client.events(log, time_from=past + timedelta(hours=4), time_to=past + timedelta(hours=6))
    assert [e["data"]["n"] for e in between] == [4, 5]
    with pytest.raises(TallyError, match="sequence_not_found"):
        client.get_event(log, 99)
    with pytest.raises(ValueError, match="zone"):
        client.list_events(log, time_from=datetime(2025, 1, 1))


def test_an_empty_page_is_not_the_end(proxy: Proxy) -> None:
    pages = [
        {"events": [], "next_cursor": "a"},
        {"events": [{"sequence": 1, "data": {}}], "next_cursor": "b"},
        {"events": []},
    ]
    proxy.fault = lambda number, seen: Answer(200, {}, json.dumps(pages[number - 1]).encode())
    with Tally(proxy.url) as tally:
        assert [event["sequence"] for event in tally.events("x")] == [1]
    assert len(proxy.seen) == 3


def test_a_request_of_ones_own(client: Tally, log: str) -> None:
    appended = client.request("POST", f"/logs/{log}/append", body='{"exact": 0.10}', headers={"Idempotency-Key": "k"})
    assert appended.status == 201
    assert appended.headers["content-type"] == "application/json"
    assert (
        client.request("POST", f"/logs/{log}/append", body=b'{"exact": 0.10}', headers={"Idempotency-Key": "k"}).status
        == 200
    )
    lines = client.request("get", f"/logs/{log}/events", query={"format": "ndjson"})
    assert '"exact": 0.10' in lines.text()
    assert client.request("PUT", f"/logs/{log}", body={}, repeatable=True).status == 200
    with pytest.raises(TallyError, match="log_not_found"):
        client.request("GET", "/logs/none-such")


def test_views(client: Tally, log: str) -> None:
    client.append_events(log, [{"type": "call", "tokens": Decimal("1.5")}, {"type": "call", "tokens": 2**60}])
    ready = client.list_ready_views()["views"]
    assert "meter" in [view["name"] for view in ready]
    view = client.deploy_view(log, "totals", {"ready": "meter"}, actor="ada")
    assert view["name"] == "totals"
    answer = client.query_view(log, "totals")
    assert answer == client.query_view(log, "totals", "")
    assert (answer.media_type, answer.sequence, answer.text[0]) == ("application/json", 2, "{")
    with pytest.raises(TallyError, match="query_refused"):
        client.query_view(log, "totals", {"no such": "question & more"})
    assert [each["name"] for each in client.list_views(log)["views"]] == ["totals"]
    assert client.get_view(log, "totals")["version"] == 1
    audit = client.audit_view(log, "totals")
    assert audit["ok"] is True
    assert isinstance(audit["seconds"], float)
    client.deploy_view(log, "totals", {"ready": "meter", "config": {"type": "call"}})
    assert [each["version"] for each in client.view_versions(log, "totals", limit=1)] == [2, 1]
    assert client.list_view_versions(log, "totals")["actions"][-1]["actor"]
    client.rollback_view(log, "totals", {"version": 1})
    with pytest.raises(TallyError, match="view_not_halted"):
        client.resume_view(log, "totals", {"reason": "to see"})
    verified = client.verify_log(log, views="none")
    assert verified["ok"] is True
    assert isinstance(verified["seconds"], float)
    client.retire_view(log, "totals")


def test_modules(proxy: Proxy, client: Tally, log: str) -> None:
    module = (ROOT / "views/dist/monthly_totals.wasm").read_bytes()
    with Tally(proxy.url) as tally:
        deployed = tally.deploy_module(log, "mine", module)
        assert tally.upload_module(module) == deployed["module"]
        assert tally.get_module(deployed["module"])["bytes"] == len(module)
        proxy.seen.clear()
        tally.deploy_module(log, "mine", module)
        assert [seen.method for seen in proxy.seen] == ["GET", "POST"]  # it is there: nothing is uploaded again
        with pytest.raises(TallyError, match="no_guard"):  # so on_halt goes with it
            tally.deploy_module(log, "mine", module, on_halt="refuse")
        with pytest.raises(TallyError, match="no_guard"):
            tally.deploy_module_pattern(log + "-p", module, logs=log + "*", on_halt="refuse")
        pattern = tally.deploy_module_pattern(log + "-p", module, logs=log + "*")
        assert pattern["logs"] == log + "*"
        assert tally.get_view_pattern(log + "-p")["covers"]["matching"] == 1
        assert log + "-p" in [each["name"] for each in tally.list_view_patterns()["views"]]
        assert tally.retire_view_pattern(log + "-p", keep=True)["name"] == log + "-p"
        with pytest.raises(TallyError, match="pattern_not_found"):
            tally.get_view_pattern(log + "-none")


def test_sources(client: Tally, log: str) -> None:
    put = client.put_source(log, {"log": log, "id": "{/id}", "keep": {"n": "/n"}})
    assert client.get_source(log, version=put["version"])["name"] == log
    assert log in [source["name"] for source in client.sources(limit=1)]
    assert [each["version"] for each in client.source_versions(log, limit=1)] == [put["version"]]
    assert client.list_ready_sources()["sources"]
    delivery = client.send_events(log, [{"id": "1", "n": 1}, {"id": "2", "n": 2}, {"n": 3}])
    assert (delivery["stored"], delivery["rejected"]) == (2, 1)
    assert client.send_events(log, '{"id":"1","n":1}\n')["duplicates"] == 1
    assert client.test_source(log, {"id": "4"})["lines"][0]["outcome"] == "mapped"
    assert client.replay_source(log, {"from": 1})["rejected"] == 1
    cloud = {"specversion": "1.0", "id": "c1", "source": "s", "type": "t", "subject": "x"}
    client.send_openmeter_events(log, cloud)
    assert client.send_otlp_logs(log, {"resourceLogs": []}) == {}
    assert client.send_otlp_traces(log, b"") == b""
    client.delete_source(log)
    assert client.get_log(log)["sequence"] == 3


def test_keys(client: Tally, log: str) -> None:
    key = client.create_key({"name": log, "scopes": ["append", "query"]})
    assert client.get_key(key["key_id"])["name"] == log
    assert log in [each["name"] for each in client.keys(limit=1)]
    rotated = client.rotate_key(key["key_id"], {"former_valid_seconds": 60})
    assert rotated["key"] != key["key"]
    with Tally(client.url, rotated["key"]) as limited:
        limited.append_event(log, {"n": 1})
        assert limited.create_token({"scopes": ["query"], "logs": [log]})["token"]
        with pytest.raises(TallyError, match="missing_scope") as caught:
            limited.get_event(log, 1)
        assert caught.value.status == 403
    client.revoke_key(key["key_id"])
    with Tally(client.url, rotated["key"]) as revoked, pytest.raises(TallyError, match="unauthorized"):
        revoked.append_event(log, {"n": 2})
    assert "key.revoke" in [entry["action"] for entry in client.audit_log(limit=2)]


def test_tenants(server: Server, client: Tally, log: str) -> None:
    made = client.create_tenant({"name": log})
    assert client.get_tenant(made["tenant_id"])["name"] == log
    assert client.update_tenant(log, {"suspended": True})["suspended"]
    client.update_tenant(log, {"suspended": False})
    assert log in [tenant["name"] for tenant in client.tenants(limit=1)]
    with server.client(tenant=log, actor="ada") as inside:
        inside.create_log({"name": log})
        inside.create_key({"name": "k", "scopes": ["append"]})
        assert [found["name"] for found in inside.logs()] == [log]
        assert "ada" in inside.list_audit_log()["entries"][0]["actor"]


def test_health(client: Tally, log: str) -> None:
    assert client.health()["status"] == "ok"
    assert client.ready()["status"] == "ok"
    assert client.get_checkpoint_key().strip()
    assert client.get_checkpoint(log).startswith("tallystick.chain/")


def test_every_operation_has_a_method() -> None:
    import yaml  # type: ignore[import-untyped]

    document = yaml.safe_load((ROOT / "openapi/openapi.yaml").read_text())
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) > 40
    followed = {"tail-events": "tail", "watch-view": "watch"}  # over any number of connections, hence another name
    for client in (Tally, AsyncTally):
        missing = [name for name in ids if not hasattr(client, followed.get(name, name).replace("-", "_"))]
        assert missing == []


def test_methods_are_documented() -> None:
    import inspect

    for client in (Tally, AsyncTally):
        for name in dir(client):
            if not name.startswith("_"):
                method = getattr(client, name)
                assert inspect.getdoc(method), name
    assert inspect.iscoroutinefunction(AsyncTally.append_event)
    assert list(inspect.signature(Tally.append_event).parameters)[:3] == ["self", "log", "event"]
    assert set(tallystick.__all__) <= set(dir(tallystick)) | {"AsyncTally"}
