"""Bodies that schemathesis cannot encode by itself: text of lines, and modules."""

import schemathesis


@schemathesis.serializer("application/x-ndjson", "application/wasm")
def encode(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
