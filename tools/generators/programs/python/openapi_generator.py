"""Appends by the client that OpenAPI Generator makes."""

import json
import os
import sys

import openapi_client

with open(sys.argv[1], encoding="utf-8") as file:
    event = json.load(file)
with openapi_client.ApiClient(openapi_client.Configuration(host=os.environ["TALLY_URL"])) as client:
    api = openapi_client.EventsApi(client)
    api.append_event(sys.argv[2], event)
    api.append_events(sys.argv[2], [event, event])
