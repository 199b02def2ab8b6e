// Command session logs a person in, asks whether the token is good, sees why a wrong password is refused, logs out and asks again.
// It takes AUTH_GRPC_ADDRESS, AUTH_SERVICE_TOKEN, AUTH_EMAIL and AUTH_PASSWORD from the environment, and prints one line of JSON.
// For TLS AUTH_CA_FILE, for mutual TLS AUTH_CERTIFICATE_FILE and AUTH_PRIVATE_KEY_FILE as well: then no token is needed.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log"
	"os"
	"time"

	authclient "meqenet.et/auth/clients/go"
	"meqenet.et/auth/clients/go/authv1"
)

type report struct {
	Subject        string   `json:"subject"`
	SessionMatches bool     `json:"sessionMatches"`
	Roles          []string `json:"roles"`
	ValidBefore    bool     `json:"validBefore"`
	WrongPassword  string   `json:"wrongPassword"`
	Text           string   `json:"text"`
	Malformed      string   `json:"malformed"`
	Violations     []string `json:"violations"`
	ValidAfter     bool     `json:"validAfter"`
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	options, err := readOptions()
	if err != nil {
		return err
	}
	auth, err := authclient.Connect(os.Getenv("AUTH_GRPC_ADDRESS"), options)
	if err != nil {
		return err
	}
	defer auth.Close()
	email, password := os.Getenv("AUTH_EMAIL"), os.Getenv("AUTH_PASSWORD")

	login, err := auth.AuthenticateUser(ctx, withEmail(email, password))
	if err != nil {
		return err
	}
	tokens := login.GetTokens()
	if tokens == nil {
		return errors.New("a second factor is needed")
	}
	// Tried again by gRPC itself while the server is away, within the deadline of the call.
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	before, err := auth.ValidateToken(short, &authv1.ValidateTokenRequest{AccessToken: tokens.GetAccessToken()})
	if err != nil {
		return err
	}

	_, err = auth.AuthenticateUser(ctx, withEmail(email, password+" not"))
	refused, _ := authclient.ReadError(err)
	_, err = auth.AuthenticateUser(ctx, &authv1.AuthenticateUserRequest{Password: password})
	malformed, _ := authclient.ReadError(err)
	violations := []string{}
	for _, violation := range malformed.Violations {
		violations = append(violations, violation.Reason)
	}

	if _, err = auth.LogoutUser(ctx, &authv1.LogoutUserRequest{AccessToken: tokens.GetAccessToken()}); err != nil {
		return err
	}
	after, err := auth.ValidateToken(ctx, &authv1.ValidateTokenRequest{AccessToken: tokens.GetAccessToken()})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report{
		Subject:        before.GetSubject(),
		SessionMatches: before.GetSessionId() == tokens.GetSessionId(),
		Roles:          before.GetRoles(),
		ValidBefore:    before.GetValid(),
		WrongPassword:  refused.Reason,
		Text:           refused.LocalizedMessage,
		Malformed:      malformed.Reason,
		Violations:     violations,
		ValidAfter:     after.GetValid(),
	})
}

func readOptions() (authclient.Options, error) {
	options := authclient.Options{Deadline: 10 * time.Second}
	if token := os.Getenv("AUTH_SERVICE_TOKEN"); token != "" {
		options.ServiceToken = authclient.StaticToken(token)
	}
	ca := os.Getenv("AUTH_CA_FILE")
	if ca == "" {
		// On this machine only.
		options.Plaintext = true
		return options, nil
	}
	authorities, err := os.ReadFile(ca)
	if err != nil {
		return options, err
	}
	options.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	if !options.TLS.RootCAs.AppendCertsFromPEM(authorities) {
		return options, errors.New("there is no certificate in AUTH_CA_FILE")
	}
	if certificate := os.Getenv("AUTH_CERTIFICATE_FILE"); certificate != "" {
		identity, err := tls.LoadX509KeyPair(certificate, os.Getenv("AUTH_PRIVATE_KEY_FILE"))
		if err != nil {
			return options, err
		}
		options.TLS.Certificates = []tls.Certificate{identity}
	}
	return options, nil
}

func withEmail(email, password string) *authv1.AuthenticateUserRequest {
	return &authv1.AuthenticateUserRequest{
		Identifier: &authv1.AuthenticateUserRequest_Email{Email: email},
		Password:   password,
	}
}
