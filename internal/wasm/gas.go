package wasm

import "github.com/tallystick/tallystick/internal/gas"

// Budgets of gas, in units of about one instruction. Package gas documents what is metered, and how.
const (
	// DefaultFoldGas is for one event, tally_alloc for it included: about 50 ms at the most.
	DefaultFoldGas = 50_000_000
	// DefaultQueryGas is for one query: about a second at the most.
	DefaultQueryGas = 1_000_000_000
	// initGas is for the start function and _initialize together, which run once for each load of a module: runtimes set up their heap.
	initGas = 500_000_000
	// fieldsGas is for tally_fields, which runs once for each deployment.
	fieldsGas = 500_000_000
)

// Prices of imports, in units of gas. They do not depend on whether a value is in memory: a call may have to read the database. Prices
// that differ between cost models are in hostPrices.
const (
	gasGet      = 5_000
	gasSet      = 1_000
	gasDelete   = 1_000
	gasScan     = 20_000
	gasScanItem = 500 // each entry of a scan
	gasSmall    = -1  // a call that stays in this process: hostPrices.small
	// Each byte that passes between guest and host costs one unit. A byte of JSON that is checked costs hostPrices.jsonByte more.
)

// CostModel is a version of the cost model: what a module's work costs. See [gas.Model].
type CostModel = gas.Model

// LatestCostModel is the version for new deployments.
const LatestCostModel = gas.CostModel

// hostPrices are the prices of imports in a cost model, in units of gas.
type hostPrices struct {
	small  int64 // a call that stays in this process
	buffer int64 // each buffer of fd_write
	// subscription is for each subscription of poll_oneoff.
	subscription int64
	jsonByte     int64 // each byte of a value that is set
	// page is for each page of 64 KiB beyond freePages that memory has before the first call: an event may touch them all, and each
	// that it touches is restored from the image.
	page int64
	// queryQuarters is how many quarters of a unit a query is granted for each unit of its budget. Views that were written when every
	// instruction cost one unit rely on how much they could read with that budget.
	queryQuarters int64
}

// quartersPerUnit is the value of hostPrices.queryQuarters that leaves a budget as it is.
const quartersPerUnit = 4

// freePages is how much initial memory is not charged to events, in pages of 64 KiB.
const freePages = 256

var hostModels = map[CostModel]*hostPrices{
	gas.Model1: {small: 100, buffer: 8, subscription: 48, jsonByte: 1, queryQuarters: 4},
	gas.Model2: {small: 160, buffer: 16, subscription: 64, jsonByte: 8, page: 60_000, queryQuarters: 6},
}

// smallMemoryBytes is the memory up to which a batch has no rate: each event alone would start with units at the rate of 1, too.
const smallMemoryBytes = 64 << 16

// Limits on the rate of gas, which grows with memory.
const (
	// noRate is for queries, whatever their memory. So gas bounds the time of a query less strictly than that of an event: honest
	// queries gather their rows in large memory, and store nothing.
	noRate  = 1
	anyRate = 1 << 32 // larger than all rates
)

// budget is the purpose of a grant of gas, as error messages name it.
type budget string

const (
	budgetInit   budget = "starting the module (its start function and _initialize)"
	budgetFields budget = "tally_fields"
	budgetFold   budget = "one event"
	budgetBatch  budget = "a batch of events (half of one event's)"
	budgetGuard  budget = "the guard of one event"
	budgetQuery  budget = "one query"
)

// advice returns what to do about a budget that was too small.
func (b budget) advice() string {
	switch b {
	case budgetFold, budgetBatch:
		return "do less work for an event, or deploy the view with more fold gas"
	case budgetQuery:
		return "do less work for a query, or deploy the view with more query gas"
	case budgetGuard:
		return "do less work to decide on an event, or deploy the view with more fold gas"
	case budgetInit, budgetFields:
	}
	return "do less work there; this budget is fixed"
}

// phase returns the phase that the budget is for.
func (b budget) phase() phase {
	switch b {
	case budgetInit:
		return phaseInit
	case budgetFields:
		return phaseFields
	case budgetGuard:
		return phaseGuard
	case budgetQuery:
		return phaseQuery
	case budgetFold, budgetBatch:
	}
	return phaseFold
}

// ready resets the state of the previous call, and grants gas for the next one.
func (in *instance) ready(b budget, units int64) {
	in.failText, in.written, in.answerType = "", in.written[:0], TypeJSON
	in.writes, in.writeBytes = 0, 0
	in.guardAnswer, in.retryAfter = nil, 0
	in.budget, in.granted, in.owed = b, units, 0
	if b == budgetFold || b == budgetGuard {
		in.owed = in.memoryCharge
	}
	first := min(units, in.first)
	in.gas.Set(uint64(first))
	most := uint64(anyRate)
	if b == budgetQuery && !in.pricedQuery || b == budgetBatch && in.memory.Size() <= smallMemoryBytes {
		most = noRate
	}
	// Seldom true: the guest has drawn on the reserve, or had another budget.
	if in.rest = units - first; int64(in.reserve.Get()) != in.rest || in.maxRateSet != most {
		in.reserve.Set(uint64(in.rest))
		in.setRates(most)
	}
}

// setRates starts with a rate of 1, and allows rates up to most.
func (in *instance) setRates(most uint64) {
	if in.maxRateSet = most; in.rate != nil {
		in.rate.Set(noRate)
		in.maxRate.Set(most)
	}
}

// gasLeft returns the units left, negative once the call has cost more than it was granted.
func (in *instance) gasLeft() int64 {
	left, reserve := int64(in.gas.Get()), int64(in.reserve.Get())
	if in.rate != nil && reserve != in.rest { // the counter was refilled from the reserve
		left *= int64(in.rate.Get())
	}
	return left + reserve - in.owed
}

// charge charges the running call for work of the host, and unwinds the guest if the host's work alone exceeds the grant. It
// does not touch the guest's counter, since setting that costs as much as most imports. The sum of both is checked when the
// call ends, so a call may use up to twice its grant before it fails.
func (in *instance) charge(units int64) {
	in.owed += units
	if in.owed > in.granted {
		in.unwind(in.outOfGas(in.phase))
	}
}

// inUnits converts an amount of the running call's gas to units of its budget.
func (in *instance) inUnits(amount int64) int64 {
	if in.budget == budgetQuery {
		return amount * quartersPerUnit / in.prices.queryQuarters
	}
	return amount
}

func (in *instance) outOfGas(p phase) error {
	return limitf("%v ran out of gas: the budget for %s is %d units; %s", p, in.budget, in.inUnits(in.granted), in.budget.advice())
}
