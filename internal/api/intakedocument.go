package api

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/intake"
)

// describe adds to the description what the bodies of a delivery and of its answers may be: the server reads and writes them by itself.
func (g *gateway) describe(api huma.API, operation *huma.Operation, status string) {
	anything := &huma.MediaType{Schema: &huma.Schema{Description: g.body}}
	binary := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	body := map[string]*huma.MediaType{mediaJSON: anything}
	if g.form == intake.Events {
		body[formatNDJSON.mediaType] = anything
		body["application/cloudevents+json"], body["application/cloudevents-batch+json"] = anything, anything
	} else {
		body[mediaProto] = binary
		object := func(name, doc string) *huma.MediaType {
			return &huma.MediaType{Schema: named(api, name, &huma.Schema{
				Type: huma.TypeObject, AdditionalProperties: true, Description: doc,
			})}
		}
		operation.Responses[status].Content = map[string]*huma.MediaType{
			mediaProto: binary, mediaJSON: object("OTLPAnswer", "The answer of OTLP, with partial_success where not all was stored."),
		}
		operation.Responses["default"].Content = map[string]*huma.MediaType{
			mediaProto: binary, mediaJSON: object("OTLPStatus", "A google.rpc.Status, whose message has the problem's code and detail."),
		}
	}
	operation.RequestBody = &huma.RequestBody{Content: body, Description: g.body, Required: true}
	if g.path == eventsPath {
		operation.Responses[status].Content = map[string]*huma.MediaType{mediaJSON: {Schema: named(api, "Delivery", deliverySchema())}}
	}
	if status == "204" {
		operation.Responses[status].Description = g.answer
	}
}

// deliverySchema describes an intake.Summary.
func deliverySchema() *huma.Schema {
	count := func(doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Description: doc}
	}
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	return &huma.Schema{
		Type: huma.TypeObject,
		Properties: map[string]*huma.Schema{
			"stored":     count("Lines that are new events."),
			"duplicates": count("Lines whose events were there before."),
			"skipped":    count("Lines that the mapping does not select."),
			"rejected":   count("Lines that are kept in the source's log of rejects."),
			"first_rejected": {
				Type: huma.TypeObject, Description: "The first line that was rejected.",
				Properties: map[string]*huma.Schema{
					"line": count("Which line, from 1."), "code": text("Why, for programs."), "detail": text("Why, for people."),
				},
				Required: []string{"line", "code", "detail"},
			},
		},
		Required: []string{"stored", "duplicates", "skipped", "rejected"},
	}
}
