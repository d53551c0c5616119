package api

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/alert"
)

// alertDefinition is the schema of a definition, which alert.Parse reads. Figures are described as texts alone, as the server shows them:
// for a number or a text, generators make types that hold neither.
func alertDefinition() *huma.Schema {
	least := 1
	text := func(doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, MinLength: &least, Description: doc}
	}
	most := alert.MaxThresholds
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false, Required: []string{"logs", "view", "value", "thresholds"},
		Properties: map[string]*huma.Schema{
			"logs": text("A log's name, or a pattern of names: * stands for any run of characters."),
			"view": text("The name of a view of these logs."),
			"question": {
				Type: huma.TypeObject, AdditionalProperties: true,
				Description: "The parameters of the query; a list for one that is repeated. {now}, {window_start} and {window_end} stand " +
					"for times.",
			},
			"value":  text("The JSON Pointer to the value in the view's answer."),
			"absent": text("What the value is where the answer has none, a number as a text; an error when absent."),
			"of":     text("What percentages are of: a number as a text, such as 1000, or a JSON Pointer into the answer, such as /limit."),
			"thresholds": {
				Type: huma.TypeArray, MinItems: &least, MaxItems: &most,
				Description: "At which values it fires: amounts, or percentages where of is given.",
				Items:       &huma.Schema{Type: huma.TypeString, Description: "A percentage, such as 80%, or an amount, such as 250.00."},
			},
			"direction": {
				Type: huma.TypeString, Enum: []any{"at_least", "at_most"}, Description: "On which side it fires; at_least when absent.",
			},
			"window":   text("minute, hour, day, week or month; or a JSON Pointer into the answer; all of time when absent."),
			"timezone": text("The IANA zone of the calendar; UTC when absent."),
			"resolve":  {Type: huma.TypeBoolean, Description: "Announce it, too, when a threshold is resolved."},
		},
		Examples: []any{map[string]any{
			"logs": "customer-*", "view": "monthly-totals", "value": "/total/tokens_in", "absent": "0", "of": "1000",
			"question": map[string]any{"month": "2025-03"}, "thresholds": []any{"80%", "100%"}, "resolve": true,
		}},
	}
}
