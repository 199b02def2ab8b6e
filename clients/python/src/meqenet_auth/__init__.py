"""gRPC client of Meqenet Auth: ``connect`` opens a channel, ``messages`` holds the requests."""

from ._generated import auth_pb2 as messages
from .client import AuthClient, connect
from .errors import AuthError, FieldViolation, read_error

__all__ = ["AuthClient", "AuthError", "FieldViolation", "connect", "messages", "read_error"]
