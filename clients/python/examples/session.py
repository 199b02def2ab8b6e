"""Logs a person in, asks whether the token is good, sees why a wrong password is refused, logs out and asks again.

Takes AUTH_GRPC_ADDRESS, AUTH_SERVICE_TOKEN, AUTH_EMAIL and AUTH_PASSWORD from the environment; prints one line of JSON.
For TLS AUTH_CA_FILE, for mutual TLS AUTH_CERTIFICATE_FILE and AUTH_PRIVATE_KEY_FILE as well: then no token is needed.
"""

import json
import os
from pathlib import Path

import grpc

from meqenet_auth import AuthError, connect, messages, read_error


def read_file(variable: str) -> bytes | None:
    path = os.environ.get(variable)
    return Path(path).read_bytes() if path else None


def main() -> None:
    email, password = os.environ["AUTH_EMAIL"], os.environ["AUTH_PASSWORD"]
    ca = read_file("AUTH_CA_FILE")
    with connect(
        os.environ["AUTH_GRPC_ADDRESS"],
        plaintext=ca is None,  # On this machine only.
        ca=ca,
        certificate=read_file("AUTH_CERTIFICATE_FILE"),
        private_key=read_file("AUTH_PRIVATE_KEY_FILE"),
        service_token=os.environ.get("AUTH_SERVICE_TOKEN"),
        deadline=10,
    ) as auth:

        def refusal(request: messages.AuthenticateUserRequest) -> AuthError | None:
            try:
                auth.AuthenticateUser(request)
            except grpc.RpcError as error:
                return read_error(error)
            return None

        login = auth.AuthenticateUser(messages.AuthenticateUserRequest(email=email, password=password))
        if not login.HasField("tokens"):
            raise SystemExit("A second factor is needed")
        access_token = login.tokens.access_token
        # Tried again by gRPC itself while the server is away, within the deadline of the call.
        before = auth.ValidateToken(messages.ValidateTokenRequest(access_token=access_token), timeout=2)

        refused = refusal(messages.AuthenticateUserRequest(email=email, password=f"{password} not"))
        malformed = refusal(messages.AuthenticateUserRequest(password=password))

        auth.LogoutUser(messages.LogoutUserRequest(access_token=access_token))
        after = auth.ValidateToken(messages.ValidateTokenRequest(access_token=access_token))
    print(
        json.dumps(
            {
                "subject": before.subject,
                "sessionMatches": before.session_id == login.tokens.session_id,
                "roles": list(before.roles),
                "validBefore": before.valid,
                "wrongPassword": refused.reason if refused else "accepted",
                "text": refused.localized_message if refused else "accepted",
                "malformed": malformed.reason if malformed else "accepted",
                "violations": [each.reason for each in malformed.violations] if malformed else [],
                "validAfter": after.valid,
            }
        )
    )


if __name__ == "__main__":
    main()
