package et.meqenet.auth.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Why a call failed.
 *
 * @param code status of gRPC
 * @param message in English, for logs
 * @param reason code of the API, which never changes, such as {@code invalid_credentials}; empty where no server answered
 * @param localizedMessage to be shown to people; follows {@code accept-language}
 * @param violations fields of the request that are wrong
 * @param retryAfter when to try again
 * @param requestId to be quoted to whoever runs the service
 */
public record AuthError(
        Status.Code code,
        String message,
        Optional<String> reason,
        Optional<String> localizedMessage,
        List<FieldViolation> violations,
        Optional<Duration> retryAfter,
        Optional<String> requestId) {

    /**
     * A field of the request that is wrong.
     *
     * @param reason for programs, such as {@code password_too_common}; empty where the server gives none
     */
    public record FieldViolation(String field, String description, String reason) {}

    /** Reads the details ({@code google.rpc}) of an error that a call threw. */
    public static AuthError of(StatusRuntimeException error) {
        Optional<String> reason = Optional.empty();
        Optional<String> localizedMessage = Optional.empty();
        Optional<Duration> retryAfter = Optional.empty();
        Optional<String> requestId = Optional.empty();
        List<FieldViolation> violations = new ArrayList<>();
        com.google.rpc.Status status = StatusProto.fromThrowable(error);
        try {
            for (Any detail : status == null ? List.<Any>of() : status.getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    reason = Optional.of(detail.unpack(ErrorInfo.class).getReason());
                } else if (detail.is(LocalizedMessage.class)) {
                    localizedMessage = Optional.of(detail.unpack(LocalizedMessage.class).getMessage());
                } else if (detail.is(BadRequest.class)) {
                    for (BadRequest.FieldViolation each :
                            detail.unpack(BadRequest.class).getFieldViolationsList()) {
                        violations.add(new FieldViolation(each.getField(), each.getDescription(), each.getReason()));
                    }
                } else if (detail.is(RetryInfo.class)) {
                    com.google.protobuf.Duration delay =
                            detail.unpack(RetryInfo.class).getRetryDelay();
                    retryAfter = Optional.of(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
                } else if (detail.is(RequestInfo.class)) {
                    requestId = Optional.of(detail.unpack(RequestInfo.class).getRequestId());
                }
            }
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("The server sent details that cannot be read", e);
        }
        String message = error.getStatus().getDescription();
        return new AuthError(
                error.getStatus().getCode(),
                message == null ? "" : message,
                reason,
                localizedMessage,
                List.copyOf(violations),
                retryAfter,
                requestId);
    }
}
