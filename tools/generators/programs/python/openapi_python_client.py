"""Appends by the client that openapi-python-client makes."""

import json
import os
import sys

from tally_client import Client
from tally_client.api.events import append_event, append_events
from tally_client.models import EventInput

with open(sys.argv[1], encoding="utf-8") as file:
    event = EventInput.from_dict(json.load(file))
client = Client(base_url=os.environ["TALLY_URL"], raise_on_unexpected_status=True)
assert append_event.sync(sys.argv[2], client=client, body=event).sequence == 1
append_events.sync(sys.argv[2], client=client, body=[event, event])
