"""Writes testdata/credit_cases.json: worked cases of credits, each a few events and what is left of every grant after them.

The answers are calculated here, by another method than quota's: what is granted is laid out as single units of a hundredth, each with its
own priority, end and scope, and what is used takes the units one by one. Times are Python's, by the package tzdata. Run by hand; the test
TestQuotaCreditCases plays the cases.
"""

import json
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone
from decimal import Decimal

zoneinfo.reset_tzpath(to=[])  # the package tzdata alone
UNIT = Decimal("0.01")
NEVER = datetime.max.replace(tzinfo=timezone.utc)


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def month_after(time, zone):
    """When the zone's next month begins."""
    local = time.astimezone(zone)
    first = datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=zone)
    return first.astimezone(timezone.utc)


def day_after(time, zone):
    local = time.astimezone(zone).date() + timedelta(days=1)
    return datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(timezone.utc)


NEXT = {"month": month_after, "day": day_after}


def periods(grant, zone, until):
    """The stretches in which a grant's units are there: one, or one for each period."""
    start, end = grant["from"], grant["expires"]
    if "recurring" not in grant:
        return [(start, end)]
    found = []
    while start < end and start <= until:
        stop = min(NEXT[grant["recurring"]](start, zone), end)
        found.append((start, stop))
        start = stop
    return found


def units_of(grant, zone, until):
    scope = grant.get("scope")
    scopes = None if scope is None else scope if isinstance(scope, list) else [scope]
    for start, stop in periods(grant, zone, until):
        for _ in range(int(Decimal(str(grant["amount"])) / UNIT)):
            yield {
                "order": (grant.get("priority", 100), stop, grant["sequence"]), "grant": grant["grant"], "from": start, "until": stop,
                "scopes": scopes, "given": max(grant["recorded"], start), "taken": None,
            }


def play(case):
    """Gives the state at the end of a case: what is left of each grant, what is overdrawn, and the statuses of the events."""
    zone = zoneinfo.ZoneInfo(case.get("timezone", "UTC"))
    overdraft = int(Decimal(case.get("overdraft", "0")) / UNIT)
    end = moment(case["at"])
    units, debts, statuses, revoked, sequence = [], [], [], {}, 0

    def free(unit, now, scope):
        cut = revoked.get(unit["grant"], NEVER)
        return (unit["taken"] is None and unit["given"] <= now < unit["until"] and now < cut
                and (unit["scopes"] is None or scope in unit["scopes"]))

    def pay(now):
        """What is overdrawn is paid by units for everything, at each time at which there are new ones."""
        for time in sorted({u["given"] for u in units if u["given"] <= now and u["scopes"] is None}):
            for unit in sorted((u for u in units if u["scopes"] is None and free(u, time, None)), key=lambda u: u["order"]):
                if not debts:
                    return
                if debts[0] <= time:
                    debts.pop(0)
                    unit["taken"] = time

    for event in case["events"]:
        now = moment(event["time"])
        pay(now)
        if event["type"] == "grant":
            sequence += 1
            grant = dict(event, sequence=sequence, recorded=now)
            grant["from"] = max(now, moment(event["effective"])) if "effective" in event else now
            grant["expires"] = moment(event["expires"]) if "expires" in event else NEVER
            units.extend(units_of(grant, zone, end))
            pay(now)
            statuses.append(0)
        elif event["type"] == "revoke":
            sequence += 1
            revoked[event["grant"]] = now
            statuses.append(0)
        else:
            wanted = int(Decimal(str(event["cost"])) / UNIT)
            usable = sorted((u for u in units if free(u, now, event.get("model"))), key=lambda u: u["order"])
            beyond = max(0, wanted - len(usable))
            if beyond > 0 and beyond + len(debts) > overdraft and not event.get("always"):
                statuses.append(402)
                continue
            sequence += 1
            statuses.append(402 if beyond > 0 and beyond + len(debts) > overdraft else 0)
            for unit in usable[:wanted]:
                unit["taken"] = now
            debts.extend([now] * beyond)
    pay(end)
    left = {}
    for unit in units:
        if unit["given"] <= end < unit["until"] and end < revoked.get(unit["grant"], NEVER):
            left.setdefault(unit["grant"], 0)
            left[unit["grant"]] += unit["taken"] is None
    text = {name: str(n * UNIT) for name, n in left.items() if n > 0}
    return {"left": text, "overdrawn": str(len(debts) * UNIT), "statuses": statuses}


def grant(time, name, amount, **more):
    return {"type": "grant", "time": time, "grant": name, "amount": amount, **more}


def use(time, cost, model=None, **more):
    return {"type": "use", "time": time, "cost": cost, **({"model": model} if model else {}), **more}


MARCH = "2025-03-01T00:00:00Z"
CASES = [
    {"name": "the lowest priority first", "at": "2025-03-02T00:00:00Z", "events": [
        grant(MARCH, "late", 5, priority=2), grant(MARCH, "early", 5, priority=1), use(MARCH, "6.5")]},
    {"name": "of one priority, the soonest end first, none last", "at": "2025-03-02T00:00:00Z", "events": [
        grant(MARCH, "never", 5), grant(MARCH, "june", 5, expires="2025-06-01T00:00:00Z"),
        grant(MARCH, "april", 5, expires="2025-04-01T00:00:00Z"), use(MARCH, 11)]},
    {"name": "priority goes before the end", "at": "2025-03-02T00:00:00Z", "events": [
        grant(MARCH, "soon", 5, priority=9, expires="2025-03-03T00:00:00Z"), grant(MARCH, "first", 5, priority=0), use(MARCH, 7)]},
    {"name": "of one end, the older grant first", "at": "2025-03-02T00:00:00Z", "events": [
        grant(MARCH, "a", 5), grant(MARCH, "b", 5), grant(MARCH, "c", 5), use(MARCH, "5.01"), use(MARCH, "4.99")]},
    {"name": "all at the same moment, in the order of the log", "at": MARCH, "events": [
        use(MARCH, 1), grant(MARCH, "a", 2), use(MARCH, 2), use(MARCH, "0.01"), grant(MARCH, "b", 1), use(MARCH, 1)]},
    {"name": "not before it takes effect", "at": "2025-03-10T00:00:00Z", "events": [
        grant(MARCH, "a", 5, effective="2025-03-05T00:00:00Z"), use("2025-03-04T23:59:59Z", 1), use("2025-03-05T00:00:00Z", 1)]},
    {"name": "not from its end on", "at": "2025-03-05T00:00:00Z", "events": [
        grant(MARCH, "a", 5, expires="2025-03-05T00:00:00Z"), use("2025-03-04T23:59:59Z", 1), use("2025-03-05T00:00:00Z", 1)]},
    {"name": "an end at which nothing was used", "at": "2025-03-06T00:00:00Z", "events": [
        grant(MARCH, "a", 5, expires="2025-03-05T00:00:00Z"), grant(MARCH, "b", 3)]},
    {"name": "a grant of zero", "at": MARCH, "events": [grant(MARCH, "zero", 0), use(MARCH, "0.01"), use(MARCH, 0)]},
    {"name": "over-use within the overdraft and beyond", "at": MARCH, "overdraft": "2", "events": [
        grant(MARCH, "a", 1), use(MARCH, 2), use(MARCH, "1.01"), use(MARCH, 1), use(MARCH, "0.01")]},
    {"name": "a grant after use pays what is overdrawn", "at": "2025-03-02T00:00:00Z", "overdraft": "5", "events": [
        use(MARCH, 4), grant("2025-03-01T06:00:00Z", "a", 10), use("2025-03-01T07:00:00Z", 1)]},
    {"name": "over-use that came into the log unasked", "at": "2025-03-02T00:00:00Z", "events": [
        grant(MARCH, "a", 1), use(MARCH, 8, always=True), grant("2025-03-01T06:00:00Z", "b", 3), use("2025-03-01T07:00:00Z", "0.01")]},
    {"name": "two grants pay in their order, whenever they take effect", "at": "2025-03-09T00:00:00Z", "overdraft": "9", "events": [
        use(MARCH, 7), grant(MARCH, "second", 5, effective="2025-03-02T00:00:00Z", priority=2),
        grant(MARCH, "first", 5, effective="2025-03-02T00:00:00Z", priority=1)]},
    {"name": "a scope is for its usage alone, and used before what is for everything if that ends later", "at": MARCH, "events": [
        grant(MARCH, "all", 5, expires="2025-05-01T00:00:00Z"), grant(MARCH, "gpt", 5, scope="gpt-4", expires="2025-04-01T00:00:00Z"),
        use(MARCH, 3, "gpt-4"), use(MARCH, 3, "gpt-3"), use(MARCH, 3), use(MARCH, 4, "gpt-4")]},
    {"name": "a scope of several, and one that pays nothing overdrawn", "at": MARCH, "overdraft": "3", "events": [
        use(MARCH, 2, "x"), grant(MARCH, "ab", 5, scope=["a", "b"]), use(MARCH, 2, "b"), use(MARCH, 2, "c"), use(MARCH, 1, "c")]},
    {"name": "a revoked grant", "at": "2025-03-03T00:00:00Z", "events": [
        grant(MARCH, "a", 5), grant(MARCH, "b", 5), use(MARCH, 2), {"type": "revoke", "time": "2025-03-02T00:00:00Z", "grant": "a"},
        use("2025-03-02T00:00:00Z", "5.01"), use("2025-03-02T00:00:00Z", 4)]},
    {"name": "a recurring grant begins anew each month, and nothing is carried over", "at": "2025-04-15T00:00:00Z", "events": [
        grant("2025-03-10T00:00:00Z", "m", 10, recurring="month"), use("2025-03-20T00:00:00Z", 4), use("2025-04-02T00:00:00Z", 9),
        use("2025-04-03T00:00:00Z", 2)]},
    {"name": "its month ends by the clock of New York, where summer time has begun", "timezone": "America/New_York",
     "at": "2025-04-01T04:00:00Z", "events": [
        grant(MARCH, "m", 10, recurring="month"), use("2025-04-01T03:59:59.999999Z", 10), use("2025-04-01T04:00:00Z", 6)]},
    {"name": "its month ends by the clock of Berlin, where winter time has begun", "timezone": "Europe/Berlin",
     "at": "2025-10-31T23:00:00Z", "events": [
        grant("2025-10-01T00:00:00Z", "m", 10, recurring="month"), use("2025-10-31T22:59:59Z", 9), use("2025-10-31T23:00:00Z", 10)]},
    {"name": "a day of 23 hours", "timezone": "Europe/Berlin", "at": "2025-03-30T22:00:00Z", "events": [
        grant("2025-03-29T23:00:00Z", "d", 3, recurring="day"), use("2025-03-30T21:59:59Z", 3), use("2025-03-30T22:00:00Z", 1)]},
    {"name": "a recurring grant that ends within a month", "at": "2025-05-09T00:00:00Z", "events": [
        grant(MARCH, "m", 10, recurring="month", expires="2025-05-10T00:00:00Z"), use("2025-05-08T00:00:00Z", 3)]},
    {"name": "and after its end", "at": "2025-05-10T00:00:00Z", "events": [
        grant(MARCH, "m", 10, recurring="month", expires="2025-05-10T00:00:00Z"), use("2025-05-10T00:00:00Z", 3)]},
    {"name": "each month pays what is overdrawn, also those without events", "at": "2025-06-15T00:00:00Z", "overdraft": "100", "events": [
        grant(MARCH, "m", 10, recurring="month"), use(MARCH, 45)]},
    {"name": "the month's credits end sooner than the year's, and so are used first", "at": "2025-03-20T00:00:00Z", "events": [
        grant(MARCH, "y", 100, expires="2026-03-01T00:00:00Z"), grant(MARCH, "m", 10, recurring="month"), use(MARCH, 12)]},
]

cases = [dict(case, want=play(case)) for case in CASES]
sys.stdout.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
