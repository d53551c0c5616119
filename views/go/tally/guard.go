package tally

// Why a guard refuses an event, as the HTTP status of the client's answer.
const (
	PaymentRequired = 402 // credit is used up: a payment would help
	Forbidden       = 403 // it is never admitted
	Conflict        = 409 // it does not fit what the log holds
	tooManyRequests = 429 // for a while
)

// MaxGuardAnswerBytes is the most that a [Verdict]'s answer may have.
const MaxGuardAnswerBytes = 4 << 10

// Verdict is what a guard decides. Its answer is a JSON object for whoever sent the event, nil for none; it must stay unchanged until Guard
// returns, and may be in a [Room].
type Verdict struct {
	status  int32
	seconds int32
	answer  []byte
}

// Admit has the event appended.
var Admit = Verdict{}

// AdmitWith has the event appended, and says something about it, such as what is left: {"remaining":20}.
func AdmitWith(answer []byte) Verdict { return Verdict{answer: answer} }

// Refuse refuses the event, with [PaymentRequired], [Forbidden] or [Conflict].
func Refuse(status int, answer []byte) Verdict {
	switch status {
	case PaymentRequired, Forbidden, Conflict:
		return Verdict{status: int32(status), answer: answer}
	}
	panic("tally.Refuse takes PaymentRequired, Forbidden or Conflict; RefuseFor is for a while")
}

// RefuseFor refuses the event for so many seconds, with 429: 1 to 366 days.
func RefuseFor(seconds int64, answer []byte) Verdict {
	const most = 366 * 24 * 60 * 60
	return Verdict{status: tooManyRequests, seconds: int32(min(max(seconds, 1), most)), answer: answer}
}

// Status is the HTTP status of a refusal, and 0 of an admission.
func (v Verdict) Status() int { return int(v.status) }

// RetryAfter is how many seconds [RefuseFor] refuses for, else 0.
func (v Verdict) RetryAfter() int64 { return int64(v.seconds) }

// Answer is the verdict's answer, nil if there is none.
func (v Verdict) Answer() []byte { return v.answer }

const guardPackage = "github.com/tallystick/tallystick/views/go/tally/guard"

var guardExported bool // package guard is linked
