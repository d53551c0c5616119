package turns

import "time"

// owner counts the time of all keys that belong to one: a tenant's logs. Owners share the cores first, and each shares what it gets between
// its keys, so that nobody has more of a machine for having more logs.
type owner struct {
	key      Key
	used     time.Duration // of cores, from what others had used when it came
	served   time.Duration // what that of its accounts had used that got a core last
	accounts int
	waiting  int // turns, for a core or a slot
	slots    int
}

// ownerOf returns the owner of a key.
func (ts *Turns) ownerOf(key Key) *owner {
	var id Key
	if ts.owned != nil {
		id = ts.owned(key)
	}
	o := ts.owners[id]
	if o == nil {
		o = &owner{key: id, used: ts.served}
		ts.owners[id] = o
	}
	return o
}

// leave removes an account from its owner.
func (ts *Turns) leave(o *owner) {
	if o.accounts--; o.accounts == 0 {
		delete(ts.owners, o.key)
	}
}

// before reports whether a turn of account a goes before one of b: that whose owner has used less, then that which has used less, then that
// which came first.
func (t *Turn) before(other *Turn) bool {
	a, b := t.account, other.account
	switch {
	case a.owner != b.owner && a.owner.used != b.owner.used:
		return a.owner.used < b.owner.used
	case a.owner == b.owner && a.used != b.used:
		return a.used < b.used
	}
	return t.arrival < other.arrival
}

// hasSlot reports whether an account may have another slot. No owner has them all, where there can be others.
func (ts *Turns) hasSlot(a *account) bool {
	most := ts.all.Slots
	if ts.owned != nil {
		most = max(1, most-1)
	}
	return ts.slots > 0 && a.slots < ts.slotsEach && a.owner.slots < most
}
