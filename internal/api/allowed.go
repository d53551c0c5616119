package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/access"
)

// recheckAfter is how old a request may be when its operation begins without being asked again who sends it: a body can take long to
// arrive, and what was revoked meanwhile must not do anything any more.
const recheckAfter = 500 * time.Millisecond

// still watches whether the caller of a request that takes long may go on.
type still struct {
	changed <-chan struct{} // closed when mayGoOn has to be asked again; nil: never
	expired <-chan time.Time
	expires time.Time
}

// stillAllowed returns what to wait for until it has to be asked again, or a *Problem if the request's key or token is good no longer. That
// the database cannot be asked is no reason to end.
func (s *server) stillAllowed(ctx context.Context) (watch still, err error) {
	if requestOf(ctx).caller.KeyID == "" {
		return still{}, nil
	}
	watch.changed = s.Gate.Changed() // before it is asked, so that nothing between the two is missed
	caller, err := s.mayGoOn(ctx)
	if err != nil {
		return still{}, err
	}
	if watch.expires = caller.Expires; !watch.expires.IsZero() {
		watch.expired = time.After(time.Until(watch.expires))
	}
	return watch, nil
}

// isDue reports whether stillAllowed has to be asked again.
func (w *still) isDue() bool {
	return closed(w.changed) || !w.expires.IsZero() && !time.Now().Before(w.expires)
}

// mayGoOn returns who has the request's key or token by now, or a *Problem if it is good no longer.
func (s *server) mayGoOn(ctx context.Context) (*access.Caller, error) {
	request := requestOf(ctx)
	caller := request.caller
	if caller.KeyID == "" {
		return caller, nil
	}
	if !caller.Expires.IsZero() && !time.Now().Before(caller.Expires) {
		return nil, unauthorized(ctx)
	}
	now, err := s.Gate.Authenticate(ctx, request.credential)
	if err == nil && caller.Elsewhere {
		now, err = s.Gate.ActIn(ctx, now, request.actsIn)
	}
	switch {
	case errors.Is(err, access.ErrUnauthorized), errors.Is(err, access.ErrTenantNotFound):
		return nil, accessProblem(ctx, err)
	case err != nil:
		return caller, nil //nolint:nilerr // see stillAllowed
	}
	return now, nil
}

// recheck returns a *Problem if the caller of a request that took long to arrive may not do its operation any more.
func (s *server) recheck(ctx context.Context) error {
	caller, err := s.rechecked(ctx)
	if err == nil {
		requestOf(ctx).caller = caller
	}
	return err
}

// rechecked returns who sends a request by now, or a *Problem if they may not do its operation any more.
func (s *server) rechecked(ctx context.Context) (*access.Caller, error) {
	request := requestOf(ctx)
	if request.caller.KeyID == "" || time.Since(request.began) < recheckAfter {
		return request.caller, nil
	}
	caller, err := s.mayGoOn(ctx)
	if err != nil {
		return nil, err
	}
	needed, _ := request.operation.Metadata[neededScopes].(access.Scopes)
	if p := permit(caller, needed, request.operation); p != nil {
		return nil, p
	}
	return caller, nil
}

// whileAllowed returns a context that ends when the request's key or token is good no longer, with the *Problem as its cause. stop ends it.
func (s *server) whileAllowed(ctx context.Context) (_ context.Context, stop func()) {
	if requestOf(ctx).caller.KeyID == "" {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			allowed, err := s.stillAllowed(ctx)
			if err != nil {
				cancel(err)
			}
			select {
			case <-allowed.changed:
			case <-allowed.expired:
			case <-ctx.Done():
				return
			}
		}
	})
	return ctx, func() {
		cancel(nil)
		watching.Wait()
	}
}
