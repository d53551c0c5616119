"""The types of requests and responses, as dicts.

At run time each is a plain ``dict``: nothing is checked, so that members which a later server adds do no harm. They are
made from the server's OpenAPI document.
"""

from ._types import *  # noqa: F403
