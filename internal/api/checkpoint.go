package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/checkpoint"
)

type checkpointOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *server) registerCheckpoint(api huma.API) {
	text := func(what string) map[string]*huma.Response {
		plain := map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}
		return map[string]*huma.Response{"200": {Description: what, Content: plain}}
	}
	register(s, api, access.Read, huma.Operation{
		OperationID: "get-checkpoint", Method: http.MethodGet, Path: "/logs/{log}/checkpoint",
		Summary: "Get a log's signed head", Tags: []string{"audit"},
		Description: "A signed note (C2SP, Ed25519) of the log's id, its last sequence, the hash of everything up to that, " +
			"and when it was recorded. Whoever keeps it can hold the log, or an export of it, against it at any time.",
		Errors: []int{http.StatusNotFound, http.StatusNotImplemented}, Responses: text("The signed note."),
	}, s.getCheckpoint)
	register(s, api, anybody, huma.Operation{
		OperationID: "get-checkpoint-key", Method: http.MethodGet, Path: "/checkpoint-key",
		Summary: "Get the key that checkpoints are verified with", Tags: []string{"audit"},
		Description: "The server's public key. A key that comes from the server under examination proves nothing against it: " +
			"get it once, in a way that you trust, and keep it.",
		Errors: []int{http.StatusNotImplemented}, Responses: text("The verifier key, a line."),
	}, s.getCheckpointKey)
}

func noSigningKey() *Problem {
	return newProblem("no_signing_key",
		"this server has no key to sign with: make one by tally keygen, and start the server with --signing-key")
}

func (s *server) getCheckpoint(ctx context.Context, in *LogPath) (*checkpointOutput, error) {
	if s.Signer == nil {
		return nil, noSigningKey()
	}
	id, head, err := s.head(ctx, in.Log)
	if err != nil {
		return nil, err
	}
	signed, err := s.Signer.Sign(checkpoint.Checkpoint{
		LogID: id, Sequence: head.Sequence, Hash: head.Hash, RecordedAt: time.UnixMicro(head.RecordedAt),
	})
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return plainText(signed), nil
}

func (s *server) getCheckpointKey(context.Context, *struct{}) (*checkpointOutput, error) {
	if s.Signer == nil {
		return nil, noSigningKey()
	}
	return plainText([]byte(s.Signer.Verifier() + "\n")), nil
}

func plainText(text []byte) *checkpointOutput {
	return &checkpointOutput{ContentType: "text/plain; charset=utf-8", Body: text}
}
