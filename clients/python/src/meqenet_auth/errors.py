"""What an error of the service says."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass(frozen=True)
class FieldViolation:
    """A field of the request that is wrong."""

    field: str
    #: For people; follows ``accept-language``.
    description: str
    #: For programs, such as ``password_too_common``; empty where the server gives none.
    reason: str


@dataclass(frozen=True)
class AuthError:
    """Why a call failed."""

    grpc_code: grpc.StatusCode
    message: str
    #: Code of the API, which never changes, such as ``invalid_credentials``; ``None`` where no server answered.
    reason: str | None = None
    #: To show to people; follows ``accept-language``. ``message`` is for logs.
    localized_message: str | None = None
    violations: tuple[FieldViolation, ...] = ()
    #: When to try again, seconds.
    retry_after: float | None = None
    #: To quote to whoever runs the service.
    request_id: str | None = None


def read_error(error: grpc.RpcError) -> AuthError:
    """Reads the details (``google.rpc``) of an error that a call raised."""
    reason: str | None = None
    localized_message: str | None = None
    violations: list[FieldViolation] = []
    retry_after: float | None = None
    request_id: str | None = None
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        retry, request = error_details_pb2.RetryInfo(), error_details_pb2.RequestInfo()
        localized = error_details_pb2.LocalizedMessage()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(localized):
            localized_message = localized.message
        elif detail.Unpack(bad):
            violations += [FieldViolation(each.field, each.description, each.reason) for each in bad.field_violations]
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
        elif detail.Unpack(request):
            request_id = request.request_id
    return AuthError(
        error.code(), error.details(), reason, localized_message, tuple(violations), retry_after, request_id
    )
