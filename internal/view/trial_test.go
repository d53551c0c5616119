package view_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/views"
)

// TestNewCodeWaitsForItsTrial: while one view is compiled or rehearsed, other new code is not compiled; what is known already is deployed.
func TestNewCodeWaitsForItsTrial(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	node.Deploy(t, node.NewLog(t), "v", views.MonthlyTotals(), "{}")
	end, err := node.Views.HoldTrial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	log := node.NewLog(t)
	node.Deploy(t, log, "known", views.MonthlyTotals(), "{}")
	gone, cancel := context.WithCancel(t.Context())
	cancel() // whoever waits, waits in vain
	_, err = node.Views.Deploy(gone, log, "new", view.Deployment{Code: views.RateCheck(), Config: []byte("{}")})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "waiting to try a view") {
		t.Errorf("new code: %v", err)
	}
	end()
	node.Deploy(t, log, "new", views.RateCheck(), "{}")
}
