// Package authclient connects to Meqenet Auth over gRPC: transport security, the service token, deadlines and retries.
package authclient

import (
	"context"
	"crypto/tls"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"meqenet.et/auth/clients/go/authv1"
)

// DefaultDeadline is that of calls whose context has none.
const DefaultDeadline = 5 * time.Second

// What reads only is tried again where the server could not be reached. A repeated login or refresh could count twice, so they are
// left to whoever calls.
const serviceConfig = `{
  "methodConfig": [{
    "name": [
      {"service": "auth.v1.AuthService", "method": "ValidateToken"},
      {"service": "auth.v1.AuthService", "method": "GetUser"}
    ],
    "retryPolicy": {
      "maxAttempts": 5,
      "initialBackoff": "0.2s",
      "maxBackoff": "2s",
      "backoffMultiplier": 2.5,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1}
}`

// Options say how to connect.
type Options struct {
	// TLS of the connection; with Certificates it is mutual. Needed unless Plaintext is set.
	TLS *tls.Config
	// Plaintext sends passwords and tokens for everybody on the way to read: for this machine, or inside a mesh that encrypts.
	Plaintext bool
	// ServiceToken of this service, asked for each call; nil with mutual TLS.
	ServiceToken func(context.Context) (string, error)
	// Deadline of calls whose context has none: DefaultDeadline where 0. WatchRevocations has none.
	Deadline time.Duration
	// DialOptions come after those of this package.
	DialOptions []grpc.DialOption
}

// Client is the stub of auth.v1.AuthService with its connection. It is safe for concurrent use; one is enough for a process.
type Client struct {
	authv1.AuthServiceClient
	connection *grpc.ClientConn
}

// Close ends what runs and closes the connection.
func (c *Client) Close() error { return c.connection.Close() }

// StaticToken is a service token that never changes.
func StaticToken(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// Connect makes a client for host:port. It connects at the first call.
func Connect(address string, options Options) (*Client, error) {
	if (options.TLS == nil) == !options.Plaintext {
		return nil, errors.New("authclient: set either TLS or Plaintext")
	}
	transport := insecure.NewCredentials()
	if options.TLS != nil {
		transport = credentials.NewTLS(options.TLS)
	}
	deadline := options.Deadline
	if deadline == 0 {
		deadline = DefaultDeadline
	}
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
		// A dead connection is noticed while a stream waits.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 5 * time.Second}),
		// After a loss the connection is tried again as soon as calls are; the default is a second.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithUnaryInterceptor(withDeadline(deadline)),
	}
	if options.ServiceToken != nil {
		dial = append(dial, grpc.WithPerRPCCredentials(serviceToken{options.ServiceToken, options.Plaintext}))
	}
	connection, err := grpc.NewClient(address, append(dial, options.DialOptions...)...)
	if err != nil {
		return nil, err
	}
	return &Client{authv1.NewAuthServiceClient(connection), connection}, nil
}

func withDeadline(deadline time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoker grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, deadline)
			defer cancel()
		}
		return invoker(ctx, method, request, reply, connection, options...)
	}
}

type serviceToken struct {
	get       func(context.Context) (string, error)
	plaintext bool
}

func (t serviceToken) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := t.get(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity keeps the token off unencrypted connections that nobody asked for.
func (t serviceToken) RequireTransportSecurity() bool { return !t.plaintext }
