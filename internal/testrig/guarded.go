package testrig

import (
	_ "embed"
	"encoding/json"
	"strconv"
)

//go:embed guarded/guarded.wasm
var guarded []byte

// Guarded returns a view that counts units, and whose guard admits as many as its configuration says; guarded/guarded.c describes it. The
// bytes are shared: do not change them.
func Guarded() []byte { return guarded }

// counter is the model of the guarded view. It takes whatever is in the log.
type counter struct {
	used  int64
	wrote bool
}

// Fold implements Model.
func (c *counter) Fold(e *Event) error {
	event := struct {
		Units any
		Fold  any
	}{}
	if err := json.Unmarshal(e.Data, &event); err != nil {
		return err
	}
	if event.Fold == "trap" {
		return errTrap
	}
	units := int64(1)
	if n, ok := event.Units.(float64); ok {
		units = int64(n)
	}
	c.used, c.wrote = c.used+units, true
	return nil
}

// State implements Model.
func (c *counter) State() map[string]string {
	if !c.wrote {
		return nil
	}
	return map[string]string{"used": strconv.FormatInt(c.used, 10)}
}
