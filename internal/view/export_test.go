package view

import (
	"context"
	"crypto/sha256"
	"time"
)

// Passed has a server believe that a view with its own budget passed the rehearsal that does not depend on a log.
func (v *Views) Passed(code, config []byte) {
	v.rehearsed.add(rehearsal{module: sha256.Sum256(code), config: sha256.Sum256(config), foldGas: v.config.FoldGas})
}

// HoldTrial has all views that are about to be compiled or rehearsed wait until the function is called that it returns.
func (v *Views) HoldTrial(ctx context.Context) (func(), error) {
	t, err := v.beginTrial(ctx)
	if err != nil {
		return nil, err
	}
	return t.end, nil
}

// BoundInquiries has explanations and previews fold, and wait, for so long at most.
func (v *Views) BoundInquiries(fold, wait time.Duration) {
	v.inquiryTime, v.inquiryPatience = fold, wait
}

// HoldAudits has audits, explanations and previews wait until the function is called that it returns.
func (v *Views) HoldAudits() func() {
	v.audits <- struct{}{}
	return func() { <-v.audits }
}
