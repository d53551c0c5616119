"""Writes testdata/zone_offsets.txt: what Python's own reader makes of the time zones.

For each zone the SHA-256 of its offsets at the times that meter's test asks
for: every 40 days and 7 hours from 1972 on, each offset in seconds and a line
end. The data is that of the pinned package tzdata, whatever the machine has.
"""

import hashlib
import os
import sys
from datetime import datetime, timedelta, timezone
from importlib import resources

os.environ["PYTHONTZPATH"] = ""
import zoneinfo  # noqa: E402 (the path is read when it is imported)

SAMPLES = 1000
STEP = timedelta(days=40, hours=7)


def main():
    times = [datetime(1972, 2, 1, tzinfo=timezone.utc) + i * STEP for i in range(SAMPLES)]
    for name in sorted(resources.files("tzdata").joinpath("zones").read_text().split()):
        zone = zoneinfo.ZoneInfo(name)
        offsets = "".join(f"{int(t.astimezone(zone).utcoffset().total_seconds())}\n" for t in times)
        print(name, hashlib.sha256(offsets.encode()).hexdigest())


if __name__ == "__main__":
    sys.exit(main())
