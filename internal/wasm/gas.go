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

// What imports cost, in units of gas, whether or not the answer is in memory: a call may have to ask the database. A number that is not
// the same in all cost models is in hostPrices.
const (
	gasGet      = 5_000
	gasSet      = 1_000
	gasDelete   = 1_000
	gasScan     = 20_000
	gasScanItem = 500 // each entry of a scan
	gasSmall    = -1  // a call that stays in this process: hostPrices.small
	// Each byte that passes between guest and host costs one unit, and a byte of JSON that is checked as much again as hostPrices says.
)

// CostModel is a version of the cost model: what a module's work costs. See [gas.Model].
type CostModel = gas.Model

// LatestCostModel is the version for what is deployed now.
const LatestCostModel = gas.CostModel

// hostPrices is what a cost model says of imports, in units of gas.
type hostPrices struct {
	small  int64 // a call that stays in this process
	buffer int64 // each buffer of fd_write
	// subscription is for each of poll_oneoff.
	subscription int64
	jsonByte     int64 // each byte of a value that is set
	// page is for each page of 64 KiB beyond freePages that memory has before its first call: an event may touch them all, and each
	// that it touches is taken from the image anew.
	page int64
	// question is how many quarters of a unit a question is granted for each. Views that were written when an instruction cost one unit,
	// whatever it did, count on what they may read with the gas of one.
	question int64
}

// wholeQuestion is hostPrices.question where a unit is a unit.
const wholeQuestion = 4

// freePages is how much memory an event may touch without a price of its own for it, in pages of 64 KiB.
const freePages = 256

var hostModels = map[CostModel]*hostPrices{
	gas.Model1: {small: 100, buffer: 8, subscription: 48, jsonByte: 1, question: 4},
	gas.Model2: {small: 160, buffer: 16, subscription: 64, jsonByte: 8, page: 60_000, question: 6},
}

// nearBytes is the memory up to which a call of many events has no rate either: each of them alone would begin with units at the rate of 1.
const nearBytes = 64 << 16

// noRate is the rate of gas that memory of any size has in a question. Its gas bounds its time less well than that of an event: honest
// questions gather their rows in large memory, and nothing is stored by them.
const (
	noRate  = 1
	anyRate = 1 << 32 // more than any there is
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
	if b == budgetFold {
		in.owed = in.rent
	}
	first := min(units, in.first)
	in.gas.Set(uint64(first))
	most := uint64(anyRate)
	if b == budgetQuery && !in.pricedQuery || b == budgetBatch && in.memory.Size() <= nearBytes {
		most = noRate
	}
	// Seldom: the guest took from the reserve, or had another budget.
	if in.rest = units - first; int64(in.reserve.Get()) != in.rest || in.mostRate != most {
		in.reserve.Set(uint64(in.rest))
		in.setRates(most)
	}
}

// setRates begins with a rate of 1, and allows larger ones up to most.
func (in *instance) setRates(most uint64) {
	if in.mostRate = most; in.rate != nil {
		in.rate.Set(noRate)
		in.maxRate.Set(most)
	}
}

// gasLeft is negative once the call has cost more than it was granted.
func (in *instance) gasLeft() int64 {
	left, reserve := int64(in.gas.Get()), int64(in.reserve.Get())
	if in.rate != nil && reserve != in.rest { // what is in the counter came from the reserve
		left *= int64(in.rate.Get())
	}
	return left + reserve - in.owed
}

// charge takes gas for what the host does for the guest, and unwinds the guest when that alone is more than the call was
// granted. The guest's own counter is left as it is, since changing it costs as much as most imports: the sum of both is
// looked at when the call ends, so a call may take up to twice its grant before it fails for it.
func (in *instance) charge(units int64) {
	in.owed += units
	if in.owed > in.granted {
		in.unwind(in.outOfGas(in.phase))
	}
}

// inUnits is an amount of the running call's gas in the units of its budget.
func (in *instance) inUnits(gas int64) int64 {
	if in.budget == budgetQuery {
		return gas * wholeQuestion / in.prices.question
	}
	return gas
}

func (in *instance) outOfGas(p phase) error {
	return limitf("%v ran out of gas: the budget for %s is %d units; %s", p, in.budget, in.inUnits(in.granted), in.budget.advice())
}
