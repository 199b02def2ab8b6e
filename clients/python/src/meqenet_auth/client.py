"""Connecting: transport security, the service token, deadlines and retries."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import TracebackType

import grpc

from ._generated.auth_pb2_grpc import AuthServiceStub

_SERVICE = "auth.v1.AuthService"
# What reads only. A repeated login or refresh could count twice, so they are left to whoever calls.
_REPEATABLE = ("ValidateToken", "GetUser")
# Endless by nature.
_STREAMS = (f"/{_SERVICE}/WatchRevocations",)

_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{"service": _SERVICE, "method": method} for method in _REPEATABLE],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2.5,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
}

ServiceToken = str | Callable[[], str]


class _CallDetails(grpc.ClientCallDetails):
    """What grpc passes on for a call, with a deadline and metadata of ours."""

    def __init__(self, details: grpc.ClientCallDetails, timeout: float | None, metadata: list[tuple[str, str]]) -> None:
        self.method = details.method
        self.timeout = timeout
        self.metadata = metadata
        self.credentials = details.credentials
        self.wait_for_ready = details.wait_for_ready
        self.compression = details.compression


class _Defaults(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """The deadline of calls that name none, and the service token where no call credentials can be."""

    def __init__(self, deadline: float, token: ServiceToken | None) -> None:
        self._deadline = deadline
        self._token = token

    def _details(self, details: grpc.ClientCallDetails) -> _CallDetails:
        metadata = list(details.metadata or ())
        if self._token is not None:
            metadata.append(("authorization", _bearer(self._token)))
        is_endless = details.method in _STREAMS
        timeout = self._deadline if details.timeout is None and not is_endless else details.timeout
        return _CallDetails(details, timeout, metadata)

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return continuation(self._details(client_call_details), request)

    def intercept_unary_stream(self, continuation, client_call_details, request):
        return continuation(self._details(client_call_details), request)


class _TokenPlugin(grpc.AuthMetadataPlugin):
    """Call credentials: sent with every call over TLS."""

    def __init__(self, token: ServiceToken) -> None:
        self._token = token

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        try:
            callback((("authorization", _bearer(self._token)),), None)
        except Exception as error:  # It is the token function's, and belongs to the call.
            callback((), error)


def _bearer(token: ServiceToken) -> str:
    return f"Bearer {token if isinstance(token, str) else token()}"


class AuthClient(AuthServiceStub):
    """The stub of ``auth.v1.AuthService``, with its channel. Calls raise ``grpc.RpcError``; see ``read_error``."""

    def __init__(self, channel: grpc.Channel) -> None:
        super().__init__(channel)
        self._channel = channel

    def close(self) -> None:
        """Ends what runs and closes the connection."""
        self._channel.close()

    def __enter__(self) -> AuthClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(
    address: str,
    *,
    plaintext: bool = False,
    ca: bytes | None = None,
    certificate: bytes | None = None,
    private_key: bytes | None = None,
    service_token: ServiceToken | None = None,
    deadline: float = 5.0,
) -> AuthClient:
    """Opens one connection, which all calls share; it connects at the first call.

    :param address: ``host:port``
    :param plaintext: no TLS: everybody on the way reads passwords and tokens. For this machine, or inside a mesh that encrypts
    :param ca: certificates (PEM) of who may vouch for the server; those of the system where left out
    :param certificate: certificate (PEM) of this service, for mutual TLS, with ``private_key``
    :param service_token: of this service; a function is asked for each call
    :param deadline: seconds, of calls that name no ``timeout``; ``WatchRevocations`` has none
    """
    options = [
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        ("grpc.enable_retries", 1),
        # A dead connection is noticed while a stream waits.
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        # After a loss the connection is tried again as soon as calls are; the default is a second.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 5_000),
    ]
    if plaintext:
        channel = grpc.insecure_channel(address, options)
        return AuthClient(grpc.intercept_channel(channel, _Defaults(deadline, service_token)))
    credentials = grpc.ssl_channel_credentials(ca, private_key, certificate)
    if service_token is not None:
        call_credentials = grpc.metadata_call_credentials(_TokenPlugin(service_token))
        credentials = grpc.composite_channel_credentials(credentials, call_credentials)
    channel = grpc.secure_channel(address, credentials, options)
    return AuthClient(grpc.intercept_channel(channel, _Defaults(deadline, None)))
