// Command probe is a view for the kit's tests: it does what the worked example has no need of.
package main

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/tallystick/tallystick/views/go/tally"
)

var config struct {
	Refuse string   `json:"refuse"`
	Fields []string `json:"fields"`
}

func init() { tally.Register(&tally.View{Configure: configure, Fold: fold, Query: query}) }

func main() {}

func configure(v *tally.View, text []byte) error {
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	if config.Refuse != "" {
		return errors.New(config.Refuse)
	}
	v.Fields = append([]string{"/do", "/n"}, config.Fields...)
	return nil
}

var kept [][]byte

func fold(e *tally.Event) error {
	n, _ := e.Field(1).Decimal()
	count, _ := n.Int64()
	switch e.Field(0).Text() {
	case "panic":
		panic("no " + e.Field(0).Text())
	case "index":
		tally.Set("written", []byte("1"))
		_ = kept[count]
	case "field":
		e.Field(99)
	case "fail":
		return errors.New("as asked")
	case "allocate": // garbage, and something that lives, by the kilobyte
		kept = nil
		for range count {
			kept = append(kept, make([]byte, 512))
			_ = append([]byte(nil), make([]byte, 512)...)
		}
		sum := 0
		for i, b := range kept {
			b[0] = byte(i)
			sum += int(b[0]) + len(b)
		}
		tally.Set("sum", tally.NewDecimal(int64(sum)).Append(nil))
	case "large": // values that the room does not hold
		tally.Set("large", []byte(`"`+strings.Repeat("x", int(count))+`"`))
		for range 20 {
			value, _ := tally.Get("large")
			if len(value) != int(count)+2 || value[len(value)-2] != 'x' {
				return errors.New("the large value came back otherwise")
			}
		}
	case "delete":
		tally.Delete(e.Field(2).Text())
	case "mix":
		return mix(e.Field(2).Text())
	default:
		return tally.Ignored
	}
	return nil
}

// The same totals in two places.
var totals, other = tally.NewTotals("n"), tally.NewTotals("n")

// mix reads and writes a key in the way that the first letter says.
func mix(name string) error {
	key, one := name[1:], tally.NewDecimal(1)
	switch name[0] {
	case 'a':
		return totals.Add(key, one)
	case 'b':
		return other.Add(key, one)
	case 'c':
		return tally.NewTotals("n").Add(key, one)
	case 'g':
		value, ok := tally.Get(key)
		if !ok {
			value = []byte("null")
		}
		tally.Set("got", value)
	case 's':
		tally.Set(key, []byte(`{"n":70}`))
	case 'd':
		tally.Delete(key)
	case 'l':
		seen := []byte{'"'}
		for key, value := range tally.Scan("k") {
			seen = tally.AppendUint(append(seen, key...), uint64(len(value)), 1)
		}
		tally.Set("seen", append(seen, '"'))
	case 'm':
		for c := 'a'; c <= 'z'; c++ {
			if err := totals.Add(string(c), one); err != nil {
				return err
			}
		}
	default:
		return tally.Ignored
	}
	return nil
}

func query(q tally.Query) ([]byte, error) {
	if mediaType, ok := q.Get("type"); ok {
		tally.ContentType(mediaType)
		return []byte("a,b\n1,2\n"), nil
	}
	if _, ok := q.Get("panic"); ok {
		var none map[string]int
		none["a"] = 1
	}
	if _, ok := q.Get("write"); ok {
		tally.Set("a", []byte("1"))
	}
	return append(tally.AppendString([]byte(`{"config":`), string(tally.Config())), '}'), nil
}
