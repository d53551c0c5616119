package wasm

import (
	"bytes"
	"errors"
	"slices"

	"github.com/tetratelabs/wazero/api"
)

// guardExport is the export by which a view decides on events.
const guardExport = "tally_guard"

// Statuses with which a guard may refuse an event, those of HTTP.
const (
	StatusPaymentRequired = 402
	StatusForbidden       = 403
	StatusConflict        = 409
	StatusTooManyRequests = 429
)

var refusals = []int32{StatusPaymentRequired, StatusForbidden, StatusConflict, StatusTooManyRequests}

// Verdict is what a guard decides on an event.
type Verdict struct {
	Status int // 0: the event is admitted; else one of the Status constants
	// Answer is what the guard says about it, a JSON object of at most MaxGuardAnswerBytes; nil for nothing.
	Answer []byte
	// RetryAfter is when to ask again, in seconds, 1 to MaxRetryAfter; 0 unless the status is StatusTooManyRequests.
	RetryAfter int
}

// Admits reports whether the event may be appended.
func (v *Verdict) Admits() bool { return v.Status == 0 }

// Guard asks the view whether an event may be appended, on the state with all events before it folded. It writes nothing, and has the gas
// of one event for itself. A *ViewError is the view's own fault, any other error is not. The module must have a guard. What a guard leaves
// in the guest's memory must not change how the event is folded, and a fold that follows it counts as one that is not its session's first.
//
// Again reports, as after Fold, that this outcome depends on what was called before in the session: the guard is asked once more in a new
// one, and only that counts.
func (s *Session) Guard(ev *Event) (verdict Verdict, err error) {
	in, err := s.begin(budgetGuard, s.foldGas)
	if err != nil {
		return Verdict{}, err
	}
	defer func() {
		s.finish(in, &err)
		failed, _ := errors.AsType[*ViewError](err)
		s.again = s.folded > 0 && (failed != nil || (err == nil && s.gasUsed > s.foldGas/2))
		s.folded++
	}()
	ptr, err := in.writeEvent(ev)
	if err != nil {
		return Verdict{}, err
	}
	in.stack[0] = uint64(ptr)
	if err := in.call(phaseGuard, in.guard); err != nil {
		return Verdict{}, err
	}
	switch result := api.DecodeI32(in.stack[0]); {
	case result < 0:
		return Verdict{}, in.refusal(guardExport, int64(result))
	case result == 0:
		return Verdict{Answer: in.guardAnswer}, nil
	case !slices.Contains(refusals, result):
		return Verdict{}, trapf("%s returned %d; it must return 0, 402, 403, 409, 429 or a negative number", guardExport, result)
	default:
		verdict = Verdict{Status: int(result), Answer: in.guardAnswer}
		if result == StatusTooManyRequests {
			verdict.RetryAfter = max(in.retryAfter, 1)
		}
		return verdict, nil
	}
}

func (in *instance) hostAnswer(stack []uint64) {
	text := in.text("answer", "answer", stack[0], stack[1])
	in.charge(int64(len(text)) * in.prices.jsonByte)
	if err := checkJSON("answer of a guard", text, MaxGuardAnswerBytes); err != nil {
		in.unwind(err)
	}
	if bytes.TrimLeft(text, " \t\r\n")[0] != '{' {
		in.unwind(trapf("the answer of a guard must be a JSON object; it starts %.100q", text))
	}
	in.guardAnswer = bytes.Clone(text)
}

func (in *instance) hostRetryAfter(stack []uint64) {
	seconds := api.DecodeI32(stack[0])
	if seconds < 1 || seconds > MaxRetryAfter {
		in.unwind(limitf("retry_after has %d seconds; 1 to %d are allowed", seconds, MaxRetryAfter))
	}
	in.retryAfter = int(seconds)
}
