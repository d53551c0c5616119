package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/tallystick/tallystick/internal/view"
)

// namedDeployment is the body of a deploy in JSON. null stands for what is absent.
type namedDeployment struct {
	Ready  string
	Module string
	Config json.RawMessage
	Gas    int64
	OnHalt view.OnHalt
}

// deployment returns what the request asks to be deployed: a body that begins with { names it, any other is the module itself.
func (s *server) deployment(ctx context.Context, in *deployInput) (d view.Deployment, err error) {
	actor, err := s.actor(ctx, in.ActorHeader)
	if err != nil {
		return d, err
	}
	d = view.Deployment{Code: in.RawBody, Config: []byte(in.Config), FoldGas: in.Gas, Actor: actor}
	if trimmed := bytes.TrimLeft(in.RawBody, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '{' {
		if in.Config != "" || in.Gas != 0 {
			return d, newProblem("invalid_request",
				`a body in JSON has "config" and "gas" itself: leave the parameters of that name out; nothing was done`)
		}
		named, err := parseDeployment(trimmed)
		if err != nil {
			return d, err
		}
		d, err = s.namedDeployment(ctx, named)
		d.Actor = actor
		return d, err
	}
	d.Code = bytes.Clone(d.Code) // the body's buffer is used again
	if len(d.Config) == 0 {
		d.Config = []byte(noConfig)
	}
	return d, nil
}

// noConfig is the configuration of a view that is deployed without one.
const noConfig = "{}"

// namedDeployment returns what a body in JSON asks to be deployed. The error is a *Problem.
func (s *server) namedDeployment(ctx context.Context, named *namedDeployment) (d view.Deployment, err error) {
	d = view.Deployment{Config: named.Config, FoldGas: named.Gas, OnHalt: named.OnHalt}
	if len(d.Config) == 0 {
		d.Config = []byte(noConfig)
	}
	d.Code, err = s.namedModule(ctx, named)
	return d, err
}

// deployProblem is problem for a deployment that was refused: where a ready view does not take its configuration, with the members that
// are wrong. parameter is the configuration as it was in the query, "" where it was in the body.
func (s *server) deployProblem(ctx context.Context, err error, d *view.Deployment, parameter string) error {
	p := s.present(ctx, err)
	if p.Code == "view_refused_config" {
		place := "body.config"
		if parameter != "" {
			place = "query.config"
		}
		digest := sha256.Sum256(d.Code)
		for _, misfit := range s.ReadyViews.Misfits(hex.EncodeToString(digest[:]), d.Config) {
			p.Fields = append(p.Fields, InvalidField{Location: place + misfit.Pointer, Message: misfit.Message})
		}
	}
	return p.of(requestOf(ctx).id)
}

// parseDeployment refuses whatever else it would have to leave out. The error is a *Problem.
func parseDeployment(body []byte) (*namedDeployment, error) {
	named := &namedDeployment{}
	err := eachMember(body, named.member)
	if err == nil {
		err = named.check()
	}
	return named, err
}

// member reads a member of a deployment. The error is a *Problem.
func (d *namedDeployment) member(name string, value json.RawMessage) error {
	absent := string(value) == "null"
	switch {
	case name == "ready" && !absent:
		return parseText(name, value, &d.Ready)
	case name == "module" && !absent:
		return parseText(name, value, &d.Module)
	case name == "config" && !absent:
		d.Config = value
	case name == "gas" && !absent:
		gas, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return newProblem("invalid_gas", fmt.Sprintf(
				`"gas" is %s; it must be a whole number from 1 to %d, or absent for the server's own`,
				shortened(string(value)), view.MaxFoldGas))
		}
		d.Gas = gas
	case name == "on_halt" && !absent:
		return parseText(name, value, (*string)(&d.OnHalt))
	case !absent || name != "ready" && name != "module" && name != "config" && name != "gas" && name != "on_halt":
		return newProblem("invalid_request", "there is no member "+strconv.Quote(shortened(name))+
			` here: a deployment has "ready" or "module", and perhaps "config", "gas" and "on_halt"`)
	}
	return nil
}

// check refuses a deployment of no module, or of two. The error is a *Problem.
func (d *namedDeployment) check() error {
	if (d.Ready == "") != (d.Module == "") {
		return nil
	}
	return newProblem("invalid_request", `a deployment has either "ready", the name of a ready view such as "meter", `+
		`or "module", the SHA-256 of a module that was uploaded`)
}

func parseText(name string, value json.RawMessage, text *string) error {
	if err := json.Unmarshal(value, text); err != nil || *text == "" {
		return newProblem("invalid_request",
			fmt.Sprintf("%q is %s; it must be a string, and not an empty one", name, shortened(string(value))))
	}
	return nil
}

// eachMember calls f for each member of a JSON object, which must be all that there is, with no name twice. The error is a *Problem.
func eachMember(body []byte, f func(name string, value json.RawMessage) error) error {
	invalid := func(err error) error {
		return newProblem("invalid_json", "the body is neither a WebAssembly module nor valid JSON: "+err.Error())
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if _, err := decoder.Token(); err != nil {
		return invalid(err)
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return invalid(err)
		}
		name, _ := token.(string) // as Decoder.Token promises of a name
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return invalid(err)
		}
		if seen[name] {
			return newProblem("invalid_request", "the member "+strconv.Quote(shortened(name))+" comes twice: give it once")
		}
		seen[name] = true
		if err := f(name, value); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return invalid(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return invalid(errors.New("something follows the object"))
	}
	return nil
}

// namedModule returns the module that a deployment names. The error is a *Problem.
func (s *server) namedModule(ctx context.Context, named *namedDeployment) ([]byte, error) {
	if named.Ready != "" {
		version, err := s.ReadyViews.Find(named.Ready)
		if err != nil {
			return nil, newProblem("ready_view_not_found", err.Error())
		}
		return version.Module, nil
	}
	digest, err := moduleDigest(named.Module)
	if err != nil {
		return nil, err
	}
	if err := s.book(ctx, moduleCopies*maxModuleBytes); err != nil { // until it is deployed, for which there may be a queue
		return nil, err
	}
	code, err := s.Views.ModuleCode(ctx, s.tenant(ctx), digest)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	return code, nil
}

// moduleDigest reads a SHA-256. The error is a *Problem.
func moduleDigest(text string) (digest [32]byte, err error) {
	decoded, err := hex.DecodeString(text)
	if err != nil || len(decoded) != len(digest) {
		return digest, newProblem("invalid_module_hash", strconv.Quote(shortened(text))+
			" does not name a module: that is done by its SHA-256, in 64 hexadecimal digits")
	}
	return [32]byte(decoded), nil
}
