"""What schemathesis must know of this service that no JSON Schema says: who calls, and what words of its own formats look like."""

import hashlib
import os
import random

import requests
import schemathesis
from hypothesis import strategies as st

DESK = os.environ["FUZZ_DESK"]
WHO = os.environ["FUZZ_AS"]
desk = requests.Session()
# Not that of Hypothesis, which repeats its cases by its own.
chance = random.SystemRandom()

words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=4, max_size=12)
schemathesis.openapi.format("email", st.builds("{}.{}@example.et".format, words, words))
schemathesis.openapi.format("phone", st.builds("+2519{:08d}".format, st.integers(0, 99_999_999)))
schemathesis.openapi.format("fayda-id", st.builds("{:012d}".format, st.integers(0, 10**12 - 1)))
# Refused words (common, personal, in breaches) are many, and no pattern tells them.
schemathesis.openapi.format(
    "new-password", st.integers(0, 10**12).map(lambda number: f"Q{hashlib.sha256(str(number).encode()).hexdigest()[:30]}z")
)

if WHO != "nobody":

    # The desk knows whether a token still works; operations of the run end sessions, and whole accounts.
    @schemathesis.auth(refresh_interval=None)
    class Desk:
        def get(self, case, context):
            return desk.get(f"{DESK}/token", timeout=60).text

        def set(self, case, data, context):
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Half of the ids in paths are of something that is there: of made-up ones no operation does anything."""
    # A cursor is signed, so no random text is a good one: refusing it is right.
    if case.query and "cursor" in case.query and case.meta and case.meta.generation.mode.is_positive:
        del case.query["cursor"]
    # The coverage phase makes headers of letters and digits only, and takes what does not match for good (4.32).
    event = (case.headers or {}).get("Last-Event-ID")
    if event is not None and case.meta and case.meta.generation.mode.is_positive and "-" not in str(event):
        del case.headers["Last-Event-ID"]
    if not case.path_parameters or chance.random() < 0.5:
        return
    kind = case.operation.path
    known = desk.get(f"{DESK}/ids", timeout=60).json()
    for prefix, ids in known.items():
        if kind.startswith(prefix) and ids:
            for name in ("id", "registrationId"):
                value = case.path_parameters.get(name)
                if isinstance(value, str) and len(value) == 36:
                    case.path_parameters[name] = chance.choice(ids)
