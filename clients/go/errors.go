package authclient

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// FieldViolation is a field of the request that is wrong.
type FieldViolation struct {
	Field string
	// Description is for people; it follows accept-language.
	Description string
	// Reason is for programs, such as password_too_common; empty where the server gives none.
	Reason string
}

// Error is what an error of a call says.
type Error struct {
	GRPCCode codes.Code
	Message  string
	// Reason is the code of the API, which never changes, such as invalid_credentials; empty where no server answered.
	Reason string
	// LocalizedMessage is to be shown to people; it follows accept-language. Message is for logs.
	LocalizedMessage string
	Violations       []FieldViolation
	// RetryAfter says when to try again; 0 where the server does not.
	RetryAfter time.Duration
	// RequestID is to be quoted to whoever runs the service.
	RequestID string
}

// ReadError reads the details (google.rpc) of an error that a call returned. It is false for errors that are not of gRPC.
func ReadError(err error) (Error, bool) {
	st, ok := status.FromError(err)
	if !ok || st == nil || st.Code() == codes.OK {
		return Error{}, false
	}
	read := Error{GRPCCode: st.Code(), Message: st.Message()}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			read.Reason = d.GetReason()
		case *errdetails.LocalizedMessage:
			read.LocalizedMessage = d.GetMessage()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				read.Violations = append(read.Violations, FieldViolation{v.GetField(), v.GetDescription(), v.GetReason()})
			}
		case *errdetails.RetryInfo:
			read.RetryAfter = d.GetRetryDelay().AsDuration()
		case *errdetails.RequestInfo:
			read.RequestID = d.GetRequestId()
		}
	}
	return read, true
}
