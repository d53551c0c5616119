package tallystick

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/testcontainers/testcontainers-go"
)

// Option is an option of this package.
type Option func(*options) error

// Customize changes nothing of the container: Run acts on the option once the server is ready.
func (Option) Customize(*testcontainers.GenericContainerRequest) error { return nil }

var _ testcontainers.ContainerCustomizer = Option(nil)

// options are what Run makes in the server.
type options struct {
	views []deployment
	logs  []newLog
	keys  [][]string // scopes
}

type newLog struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels,omitempty"`
}

type deployment struct {
	logs, view string
	View
}

// View is what WithView deploys: Ready or Module makes one.
type View struct {
	ready  string
	module []byte
	config json.RawMessage
	err    error
}

// Ready is one of the views that each server has built in, such as meter. Its configuration is anything that encodes as a JSON object; nil
// is none.
func Ready(name string, config any) View {
	v := View{ready: name}
	v.setConfig(config)
	return v
}

// Module is a view of one's own: a file with its WebAssembly module, and its configuration as in Ready.
func Module(file string, config any) View {
	var v View
	if v.module, v.err = os.ReadFile(file); v.err == nil { //nolint:gosec // the caller's own file
		v.setConfig(config)
	}
	return v
}

func (v *View) setConfig(config any) {
	if config == nil {
		return
	}
	if v.config, v.err = json.Marshal(config); v.err != nil {
		v.err = fmt.Errorf("the configuration: %w", v.err)
	}
}

// WithView deploys a view under a name on all logs whose name matches a pattern, such as "customer-*" or "*", from their first event on.
func WithView(logs, name string, view View) Option {
	return func(o *options) error {
		if view.err != nil {
			return fmt.Errorf("view %s: %w", name, view.err)
		}
		o.views = append(o.views, deployment{logs, name, view})
		return nil
	}
}

// WithLog makes a log, with labels or none.
func WithLog(name string, labels map[string]string) Option {
	return func(o *options) error {
		o.logs = append(o.logs, newLog{name, labels})
		return nil
	}
}

// WithKey has the server ask for a key with each request, and makes one with these scopes: append, read, query, deploy, admin, operator. It
// may be given more than once; Container.Keys has them in that order, and Container.Client uses the first.
func WithKey(scopes ...string) Option {
	return func(o *options) error {
		if len(scopes) == 0 {
			return errors.New("a key needs scopes: append, read, query, deploy, admin, operator")
		}
		o.keys = append(o.keys, scopes)
		return nil
	}
}
