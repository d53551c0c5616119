package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/views"
)

// TestRefusedConfigurationsNameTheirMembers: wherever a ready view is deployed or tried, by its name or as a module.
func TestRefusedConfigurationsNameTheirMembers(t *testing.T) {
	s := start(t)
	s.createLog("acme")
	const config = `{"limits":[{"name":"a","window":"fortnight","limit":1},{"name":"b","limit":1}]}`
	const body = `{"ready":"quota","config":` + config + `}`
	for _, c := range []struct {
		path, body, place string
	}{
		{"/logs/acme/views/quota", body, "body.config"},
		{"/logs/acme/views/quota/preview", body, "body.config"},
		{"/views/quota?logs=acme-*", body, "body.config"},
		{"/logs/acme/views/quota?config=" + url.QueryEscape(config), string(views.Quota()), "query.config"},
	} {
		r := s.call("POST", c.path, c.body)
		s.wantProblem(http.StatusUnprocessableEntity, "view_refused_config", r, "the view refused to start")
		var places []string
		for _, field := range decode[struct {
			Fields []struct{ Location, Message string }
		}](t, r.body).Fields {
			places = append(places, field.Location+" "+field.Message)
		}
		want := []string{
			c.place + `/limits/0/window must be "minute" or "hour" or "day" or "week" or "month" or "quarter" or "year"`,
			c.place + "/limits/1/window is missing",
		}
		if !slices.Equal(places, want) {
			t.Errorf("%s names %q, want %q", c.path, places, want)
		}
	}
	// What the schema cannot say has the view's words alone.
	r := s.call("POST", "/logs/acme/views/m", `{"ready":"meter","config":{"timezone":"Mars/Olympus"}}`)
	s.wantProblem(http.StatusUnprocessableEntity, "view_refused_config", r)
	if fields := decode[struct{ Fields []any }](t, r.body).Fields; len(fields) > 0 {
		t.Errorf("fields: %v", fields)
	}
}
