package wasm

import "github.com/tallystick/tallystick/internal/gas"

// Budgets of gas, in units: about one instruction each. What is metered, and how, is said in internal/gas.
const (
	// DefaultFoldGas is for one event, tally_alloc for it included: about 50 ms at the most.
	DefaultFoldGas = 50_000_000
	// DefaultQueryGas is for one question: about a second at the most.
	DefaultQueryGas = 1_000_000_000
	// initGas is for the start function and _initialize together, which a module needs once: runtimes set up their heap.
	initGas = 500_000_000
	// fieldsGas is for tally_fields, which a module needs once for each deployment.
	fieldsGas = 500_000_000
)

// What imports cost, in units of gas, whether or not the answer is in memory: a call may have to ask the database.
const (
	gasGet      = 5_000
	gasSet      = 1_000
	gasDelete   = 1_000
	gasScan     = 20_000
	gasScanItem = 500 // each entry of a scan
	gasSmall    = 100 // a call that stays in this process
	// Each byte that passes between guest and host costs one unit, and a byte of JSON that is checked another one.
)

// budget names what gas is granted for; it is the text that an error has for it.
type budget string

const (
	budgetInit   budget = "starting the module (its start function and _initialize)"
	budgetFields budget = "tally_fields"
	budgetFold   budget = "one event"
	budgetBatch  budget = "a batch of events (half of one event's)"
	budgetQuery  budget = "one query"
)

// advice is what to do about a budget that was not enough.
func (b budget) advice() string {
	switch b {
	case budgetFold, budgetBatch:
		return "do less work for an event, or deploy the view with more fold gas"
	case budgetQuery:
		return "do less work for a query, or deploy the view with more query gas"
	case budgetInit, budgetFields:
	}
	return "do less work there; this budget is fixed"
}

// phase is the export that the budget is for.
func (b budget) phase() phase {
	switch b {
	case budgetInit:
		return phaseInit
	case budgetFields:
		return phaseFields
	case budgetQuery:
		return phaseQuery
	case budgetFold, budgetBatch:
	}
	return phaseFold
}

// ready makes the instance forget the call before and grants gas for the next one.
func (in *instance) ready(b budget, units int64) {
	in.said, in.written, in.answerType = "", in.written[:0], TypeJSON
	in.writes, in.writeBytes = 0, 0
	in.budget, in.granted, in.owed = b, units, 0
	first := min(units, gas.Slice)
	in.gas.Set(uint64(first))
	if rest := units - first; int64(in.reserve.Get()) != rest { // seldom
		in.reserve.Set(uint64(rest))
	}
}

// gasLeft is negative once the call has cost more than it was granted.
func (in *instance) gasLeft() int64 { return int64(in.gas.Get()) + int64(in.reserve.Get()) - in.owed }

// charge takes gas for what the host does for the guest, and unwinds the guest when that alone is more than the call was
// granted. The guest's own counter is left as it is, since changing it costs as much as most imports: the sum of both is
// looked at when the call ends, so a call may take up to twice its grant before it fails for it.
func (in *instance) charge(units int64) {
	in.owed += units
	if in.owed > in.granted {
		in.unwind(in.outOfGas(in.phase))
	}
}

func (in *instance) outOfGas(p phase) error {
	return limitf("%v ran out of gas: the budget for %s is %d units; %s", p, in.budget, in.granted, in.budget.advice())
}
