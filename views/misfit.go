package views

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxMisfits bounds what is said of one configuration.
const maxMisfits = 16

// Misfit is where a configuration is not what its ready view's JSON Schema asks for.
type Misfit struct {
	Pointer string // JSON Pointer in the configuration; of a member that is missing, where it belongs
	Message string // what is wrong there, to follow the name of the member
}

// Misfits tells where a configuration, which is valid JSON, is not what the newest version of a ready view asks for, in the order of their
// pointers and at most 16 of them. There are none where moduleSHA256 is not such a version's, or where the schema does not say what is
// wrong: the view itself decides, and this only helps to find what it means.
func (c Catalog) Misfits(moduleSHA256 string, config []byte) []Misfit {
	i := slices.IndexFunc(c, func(r Ready) bool { return r.Versions[len(r.Versions)-1].SHA256 == moduleSHA256 })
	if i < 0 {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(config))
	if err != nil || !isModest(value) {
		return nil
	}
	schema, err := c[i].schema()
	if err != nil { // TestReadySchemas… would have failed
		return nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](schema.Validate(value))
	if !ok {
		return nil
	}
	found := misfitsOf(invalid)
	slices.SortStableFunc(found, func(a, b Misfit) int { return strings.Compare(a.Pointer, b.Pointer) })
	found = slices.CompactFunc(found, func(a, b Misfit) bool { return a.Pointer == b.Pointer })
	return found[:min(len(found), maxMisfits)]
}

func (r *Ready) schema() (*jsonschema.Schema, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Config))
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", r.Name, err)
	}
	compiler := jsonschema.NewCompiler()
	url := "urn:tallystick:" + r.Name
	if err := compiler.AddResource(url, document); err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", r.Name, err)
	}
	return compiler.Compile(url)
}

// maxNumber is the length of a number that is validated, and the digits of its exponent: comparing 1e999999 takes a million digits.
const maxNumber, maxExponent = 400, 3

const missing = "is missing"

// isModest tells whether a value is cheap to validate.
func isModest(value any) bool {
	switch v := value.(type) {
	case json.Number:
		text := strings.ToLower(v.String())
		_, exponent, _ := strings.Cut(text, "e")
		return len(text) <= maxNumber && len(strings.TrimLeft(exponent, "+-0")) <= maxExponent
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !isModest(item) })
	case map[string]any:
		for _, member := range v {
			if !isModest(member) {
				return false
			}
		}
	}
	return true
}

// misfitsOf are the causes of an error that a reader can do something about.
func misfitsOf(e *jsonschema.ValidationError) []Misfit {
	at := pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return misfitsOfChoice(e)
	case *kind.PropertyNames:
		return []Misfit{{at + pointer([]string{k.Property}), "is not a name that a member may have here"}}
	case *kind.Required:
		return each(at, k.Missing, missing)
	case *kind.DependentRequired:
		return each(at, k.Missing, fmt.Sprintf("is missing, which %s needs", quoted(k.Prop)))
	case *kind.AdditionalProperties:
		return each(at, k.Properties, "is no member that the view knows")
	case *kind.UniqueItems:
		return []Misfit{{fmt.Sprintf("%s/%d", at, k.Duplicates[1]), "is in the list twice"}}
	}
	if message := wrong(e.ErrorKind); message != "" {
		return []Misfit{{at, message}}
	}
	var found []Misfit
	for _, cause := range e.Causes {
		found = append(found, misfitsOf(cause)...)
	}
	return found
}

// misfitsOfChoice are those of the form that was meant: one whose type the value has, and rather one that lacks nothing.
func misfitsOfChoice(e *jsonschema.ValidationError) []Misfit {
	at, types, lacking := pointer(e.InstanceLocation), []string(nil), []Misfit(nil)
	for _, cause := range e.Causes {
		found := misfitsOf(cause)
		if other := typesAt(cause, len(e.InstanceLocation)); other != nil {
			types = append(types, other...)
		} else if len(found) > 0 && found[0].Message != missing {
			return found
		} else if lacking == nil {
			lacking = found
		}
	}
	if lacking != nil || types == nil {
		return lacking
	}
	return []Misfit{{at, "must be " + alternatives(types)}}
}

// typesAt are the types that a value at a depth should have had, where that is what is wrong.
func typesAt(e *jsonschema.ValidationError, depth int) []string {
	if k, ok := e.ErrorKind.(*kind.Type); ok && len(e.InstanceLocation) == depth {
		return k.Want
	}
	for _, cause := range e.Causes {
		if types := typesAt(cause, depth); types != nil {
			return types
		}
	}
	return nil
}

// wrong says what is wrong with one value; "" where its causes say it.
func wrong(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "must be " + alternatives(k.Want)
	case *kind.Enum:
		return "must be " + listed(k.Want)
	case *kind.Const:
		return "must be " + listed([]any{k.Want})
	case *kind.Pattern:
		return "must match " + k.Want
	case *kind.MinLength:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have %d characters or more", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have %d characters at most", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have %d or more", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have %d at most", k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("must have %d members or more", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have %d members at most", k.Want)
	case *kind.Minimum:
		return "must be " + k.Want.RatString() + " or more"
	case *kind.Maximum:
		return "must be " + k.Want.RatString() + " at most"
	}
	return ""
}

func each(at string, names []string, message string) (found []Misfit) {
	for _, name := range names {
		found = append(found, Misfit{at + pointer([]string{name}), message})
	}
	return found
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// pointer is the JSON Pointer of a path.
func pointer(path []string) string {
	var b strings.Builder
	for _, name := range path {
		b.WriteString("/" + pointerEscapes.Replace(name))
	}
	return b.String()
}

var articles = map[string]string{
	"array": "a list", "boolean": "true or false", "integer": "a whole number", "null": "null", "number": "a number", "object": "an object",
	"string": "a string",
}

func alternatives(types []string) string {
	words := make([]string, 0, len(types))
	for _, one := range types {
		if word := articles[one]; !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " or ")
}

func listed(values []any) string {
	words := make([]string, len(values))
	for i, value := range values {
		text, _ := json.Marshal(value) // of a schema: it was JSON
		words[i] = string(text)
	}
	return strings.Join(words, " or ")
}
