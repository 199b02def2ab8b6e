package et.meqenet.auth.example;

import et.meqenet.auth.client.AuthClient;
import et.meqenet.auth.client.AuthError;
import et.meqenet.auth.v1.AuthServiceGrpc.AuthServiceBlockingStub;
import et.meqenet.auth.v1.AuthenticateUserRequest;
import et.meqenet.auth.v1.LogoutUserRequest;
import et.meqenet.auth.v1.Tokens;
import et.meqenet.auth.v1.ValidateTokenRequest;
import et.meqenet.auth.v1.ValidateTokenResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Logs a person in, asks whether the token is good, sees why a wrong password is refused, logs out and asks again. Takes AUTH_GRPC_ADDRESS,
 * AUTH_SERVICE_TOKEN, AUTH_EMAIL and AUTH_PASSWORD from the environment; prints one line of JSON. For TLS AUTH_CA_FILE, for mutual TLS
 * AUTH_CERTIFICATE_FILE and AUTH_PRIVATE_KEY_FILE as well: then no token is needed.
 */
public final class Session {
    private Session() {}

    public static void main(String[] args) throws IOException {
        String email = System.getenv("AUTH_EMAIL");
        String password = System.getenv("AUTH_PASSWORD");
        try (AuthClient client = connect()) {
            AuthServiceBlockingStub auth = client.blocking();
            Tokens tokens = auth.authenticateUser(AuthenticateUserRequest.newBuilder()
                            .setEmail(email)
                            .setPassword(password)
                            .build())
                    .getTokens();
            ValidateTokenRequest question = ValidateTokenRequest.newBuilder()
                    .setAccessToken(tokens.getAccessToken())
                    .build();
            // Tried again by gRPC itself while the server is away, within the deadline of the call.
            ValidateTokenResponse before = auth.withDeadlineAfter(5, TimeUnit.SECONDS).validateToken(question);

            Optional<AuthError> refused = refusal(
                    auth,
                    AuthenticateUserRequest.newBuilder()
                            .setEmail(email)
                            .setPassword(password + " not")
                            .build());
            Optional<AuthError> malformed = refusal(
                    auth, AuthenticateUserRequest.newBuilder().setPassword(password).build());

            auth.logoutUser(LogoutUserRequest.newBuilder()
                    .setAccessToken(tokens.getAccessToken())
                    .build());
            ValidateTokenResponse after = auth.validateToken(question);
            System.out.printf(
                    "{\"subject\":\"%s\",\"sessionMatches\":%b,\"roles\":[%s],\"validBefore\":%b,\"wrongPassword\":\"%s\","
                            + "\"text\":\"%s\",\"malformed\":\"%s\",\"violations\":[%s],\"validAfter\":%b}%n",
                    before.getSubject(),
                    before.getSessionId().equals(tokens.getSessionId()),
                    quoted(before.getRolesList().stream()),
                    before.getValid(),
                    reason(refused),
                    refused.flatMap(AuthError::localizedMessage).orElse("accepted"),
                    reason(malformed),
                    quoted(malformed.stream()
                            .flatMap(error -> error.violations().stream())
                            .map(AuthError.FieldViolation::reason)),
                    after.getValid());
        }
    }

    private static AuthClient connect() throws IOException {
        AuthClient.Builder builder =
                AuthClient.forAddress(System.getenv("AUTH_GRPC_ADDRESS")).deadline(Duration.ofSeconds(10));
        String token = System.getenv("AUTH_SERVICE_TOKEN");
        if (token != null) {
            builder.serviceToken(() -> token);
        }
        String ca = System.getenv("AUTH_CA_FILE");
        if (ca == null) {
            // On this machine only.
            return builder.plaintext().build();
        }
        TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder().trustManager(new File(ca));
        String certificate = System.getenv("AUTH_CERTIFICATE_FILE");
        if (certificate != null) {
            tls.keyManager(new File(certificate), new File(System.getenv("AUTH_PRIVATE_KEY_FILE")));
        }
        return builder.tls(tls.build()).build();
    }

    private static Optional<AuthError> refusal(AuthServiceBlockingStub auth, AuthenticateUserRequest request) {
        try {
            auth.authenticateUser(request);
            return Optional.empty();
        } catch (StatusRuntimeException error) {
            return Optional.of(AuthError.of(error));
        }
    }

    private static String quoted(Stream<String> words) {
        return words.map(word -> '"' + word + '"').collect(Collectors.joining(","));
    }

    private static String reason(Optional<AuthError> error) {
        return error.flatMap(AuthError::reason).orElse("accepted");
    }
}
