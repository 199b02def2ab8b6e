package et.meqenet.auth.client;

import et.meqenet.auth.v1.AuthServiceGrpc;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * One connection to Meqenet Auth, which all calls share: transport security, the service token, deadlines and retries. It connects at the
 * first call and may be used by any number of threads. Calls throw {@link io.grpc.StatusRuntimeException}; see {@link AuthError#of}.
 */
public final class AuthClient implements AutoCloseable {
    private static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(5);
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private final ManagedChannel channel;
    private final Channel intercepted;

    private AuthClient(ManagedChannel channel, Channel intercepted) {
        this.channel = channel;
        this.intercepted = intercepted;
    }

    /**
     * @param address {@code host:port}
     */
    public static Builder forAddress(String address) {
        return new Builder(address);
    }

    /** For calls that wait. */
    public AuthServiceGrpc.AuthServiceBlockingStub blocking() {
        return AuthServiceGrpc.newBlockingStub(intercepted);
    }

    /** For calls that answer with a future. */
    public AuthServiceGrpc.AuthServiceFutureStub future() {
        return AuthServiceGrpc.newFutureStub(intercepted);
    }

    /** For calls that answer to an observer, such as {@code watchRevocations}. */
    public AuthServiceGrpc.AuthServiceStub async() {
        return AuthServiceGrpc.newStub(intercepted);
    }

    /** Ends what runs and closes the connection; waits for that at most five seconds. */
    @Override
    public void close() {
        channel.shutdownNow();
        try {
            channel.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** How to connect. Without {@link #plaintext()} the connection is TLS and the system's authorities vouch for the server. */
    public static final class Builder {
        private final String address;
        private ChannelCredentials transport = TlsChannelCredentials.create();
        private boolean plaintext;
        private Supplier<String> serviceToken;
        private Duration deadline = DEFAULT_DEADLINE;

        private Builder(String address) {
            this.address = Objects.requireNonNull(address);
        }

        /** Other authorities, or a certificate of this service for mutual TLS: {@link TlsChannelCredentials#newBuilder()}. */
        public Builder tls(ChannelCredentials credentials) {
            transport = Objects.requireNonNull(credentials);
            return this;
        }

        /** Everybody on the way reads passwords and tokens: for this machine, or inside a mesh that encrypts. */
        public Builder plaintext() {
            plaintext = true;
            transport = InsecureChannelCredentials.create();
            return this;
        }

        /** Of this service, asked for each call; not needed with mutual TLS. */
        public Builder serviceToken(Supplier<String> token) {
            serviceToken = Objects.requireNonNull(token);
            return this;
        }

        /** Of calls that name none: five seconds. Streams have none. */
        public Builder deadline(Duration deadline) {
            this.deadline = Objects.requireNonNull(deadline);
            return this;
        }

        public AuthClient build() {
            ManagedChannelBuilder<?> builder = Grpc.newChannelBuilder(address, transport)
                    .defaultServiceConfig(serviceConfig())
                    .enableRetry()
                    // A dead connection is noticed while a stream waits.
                    .keepAliveTime(20, TimeUnit.SECONDS)
                    .keepAliveTimeout(5, TimeUnit.SECONDS);
            ManagedChannel channel = builder.build();
            CallCredentials credentials = serviceToken == null ? null : new ServiceToken(serviceToken, plaintext);
            return new AuthClient(
                    channel, io.grpc.ClientInterceptors.intercept(channel, new Defaults(deadline, credentials)));
        }
    }

    /**
     * What reads only is tried again where the server could not be reached. A repeated login or refresh could count twice, so they are left
     * to whoever calls.
     */
    private static Map<String, ?> serviceConfig() {
        List<Map<String, String>> repeatable = List.of(
                Map.of("service", AuthServiceGrpc.SERVICE_NAME, "method", "ValidateToken"),
                Map.of("service", AuthServiceGrpc.SERVICE_NAME, "method", "GetUser"));
        Map<String, ?> retryPolicy = Map.of(
                "maxAttempts", 5.0,
                "initialBackoff", "0.2s",
                "maxBackoff", "2s",
                "backoffMultiplier", 2.5,
                "retryableStatusCodes", List.of("UNAVAILABLE"));
        return Map.of(
                "methodConfig", List.of(Map.of("name", repeatable, "retryPolicy", retryPolicy)),
                "retryThrottling", Map.of("maxTokens", 100.0, "tokenRatio", 0.1));
    }

    private record Defaults(Duration deadline, CallCredentials credentials) implements ClientInterceptor {
        @Override
        public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
            CallOptions own = options;
            if (own.getDeadline() == null && method.getType() == MethodDescriptor.MethodType.UNARY) {
                own = own.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
            }
            if (credentials != null && own.getCredentials() == null) {
                own = own.withCallCredentials(credentials);
            }
            return next.newCall(method, own);
        }
    }

    private static final class ServiceToken extends CallCredentials {
        private final Supplier<String> token;
        private final boolean plaintext;

        private ServiceToken(Supplier<String> token, boolean plaintext) {
            this.token = token;
            this.plaintext = plaintext;
        }

        @Override
        public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
            if (!plaintext && info.getSecurityLevel() != SecurityLevel.PRIVACY_AND_INTEGRITY) {
                applier.fail(Status.UNAUTHENTICATED.withDescription("The service token needs an encrypted connection"));
                return;
            }
            executor.execute(() -> {
                try {
                    Metadata headers = new Metadata();
                    headers.put(AUTHORIZATION, "Bearer " + token.get());
                    applier.apply(headers);
                } catch (RuntimeException e) {
                    applier.fail(Status.UNAUTHENTICATED.withDescription("There is no service token").withCause(e));
                }
            });
        }
    }
}
