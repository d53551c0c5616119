package api

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
)

const (
	// Event Grid says what a request is for. Its own schema asks by an event whether it may deliver; that of CloudEvents by OPTIONS.
	eventGridType       = "Aeg-Event-Type"
	eventGridValidation = "SubscriptionValidation"
	// maxValidationBytes bounds the body of such a question.
	maxValidationBytes = 64 << 10
)

// validates reports whether the request is Event Grid's question, to a source that lets it in.
func (t *taking) validates() bool {
	return t.gateway.path == eventsPath && t.r.Header.Get(eventGridType) == eventGridValidation &&
		slices.Contains(t.source.Mapping.Origins(), eventGridOrigin)
}

// validate answers it: the code that comes in the event shows that whoever has the address wants the deliveries. Nothing is stored.
func (t *taking) validate() {
	ctx := t.r.Context()
	var events []struct {
		EventType string `json:"eventType"`
		Data      struct {
			ValidationCode string `json:"validationCode"`
		} `json:"data"`
	}
	body, err := t.whole(ctx, io.LimitReader(t.body, maxValidationBytes))
	if err != nil {
		t.fail(t.transient(ctx, err))
		return
	}
	if json.Unmarshal(body, &events) != nil || len(events) != 1 || events[0].Data.ValidationCode == "" {
		t.fail(newProblem("invalid_request", "the validation of an Event Grid subscription has one event, with a validationCode in its "+
			"data").of(requestOf(ctx).id))
		return
	}
	answer, _ := json.Marshal(map[string]string{"validationResponse": events[0].Data.ValidationCode}) // it can always be encoded
	t.send(http.StatusOK, "application/json", answer)
}
