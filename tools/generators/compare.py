"""Fails unless a log holds an event three times, each with every member, its name and its value, and none besides.

compare.py URL LOG EVENT [--doubles] [--no-nulls]

--doubles: numbers as a language has them that knows no others. --no-nulls: members that are null are left out, and it says so.
"""

import json
import sys
import urllib.request
from decimal import Decimal


def parse(text, doubles):
    number = float if doubles else Decimal
    return json.loads(text, parse_int=number, parse_float=number)


def without_nulls(value):
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(element) for element in value] if isinstance(value, list) else value


def main():
    url, log, file = sys.argv[1:4]
    doubles = "--doubles" in sys.argv
    with open(file, encoding="utf-8") as event:
        want = parse(event.read(), doubles)
    if "--no-nulls" in sys.argv:
        want = without_nulls(want)
    with urllib.request.urlopen(f"{url}/logs/{log}/events") as answer:
        stored = [event["data"] for event in parse(answer.read(), doubles)["events"]]
    if len(stored) != 3:
        sys.exit(f"{log}: the log has {len(stored)} events, not 3")
    for data in stored:
        if data != want:
            names = sorted(name for name in {*data, *want} if data.get(name, "(absent)") != want.get(name, "(absent)"))
            found = {name: data.get(name, "(absent)") for name in names}
            sys.exit(f"{log}: the stored event differs in {found}")
    if "--no-nulls" in sys.argv:
        print(
            f"{log}: WARNING: every member is stored but those that are null, as this client is generated; "
            "docs/api.md has the line that keeps them"
        )
    else:
        print(f"{log}: every member is stored")


main()
