/* What becomes of an account: how grants take effect, are burnt down and end. */

#include "account.h"

/* ---- History ---- */

static const tally_text run_out = TALLY_STATIC_TEXT("run_out");

/* Notes what comes back of reservations that run out one after the other together. */
static bool joins(account *account, grant *grant, int64_t at, tally_text what, const tally_decimal *amount) {
	change *latest = grant->latest > 0 ? &account->changes[grant->latest - 1] : 0;
	if (latest == 0 || what.at != run_out.at || latest->what.at != run_out.at)
		return false;
	tally_add(&latest->amount, amount);
	latest->left = grant->left;
	latest->at = at;
	return true;
}

static void record(account *account, grant *grant, int64_t at, tally_text what, const tally_decimal *amount) {
	enum { FIRST_ROOM = 8 };
	if (account->config->credits.history == 0 || joins(account, grant, at, what, amount))
		return;
	if (account->changes_len == account->changes_room) {
		uint32_t room = account->changes_room == 0 ? FIRST_ROOM : 2 * account->changes_room;
		change *larger = tally_room(room * sizeof *larger);
		for (uint32_t i = 0; i < account->changes_len; i++)
			larger[i] = account->changes[i];
		account->changes = larger;
		account->changes_room = room;
	}
	account->changes[account->changes_len++] = (change){
		grant->name, grant->changes++, at, account->sequence, what, *amount, grant->left,
	};
	grant->latest = account->changes_len;
}

/* ---- Grants ---- */

bool is_usable(const grant *grant, int64_t now) {
	return grant->started && !grant->revoked && grant->until > now;
}

bool covers(const grant *grant, tally_text scope) {
	tally_text element, one;
	if (grant->scope.len == 0)
		return true;
	tally_members elements = tally_array(grant->scope);
	while (tally_element_next(&elements, &element))
		if (tally_string(element, &one) && tally_equal(one, scope))
			return true;
	return false;
}

/* Whether it has ended for good. */
static bool has_ended(const grant *grant, int64_t now) {
	return grant->revoked || grant->expires <= now;
}

bool is_closed(const grant *grant, int64_t now) {
	if (!tally_is_zero(&grant->held))
		return false;
	return has_ended(grant, now) || (!grant->recurs && tally_is_zero(&grant->left)) || tally_is_zero(&grant->amount);
}

grant *find_grant(const account *account, tally_text name) {
	for (uint32_t i = 0; i < account->len; i++)
		if (tally_equal(account->grants[i]->name, name))
			return account->grants[i];
	return 0;
}

/* Pays what is overdrawn from grants for everything, in their order. */
static void pay_overdrawn(account *account, int64_t at) {
	for (uint32_t i = 0; i < account->len && is_positive(&account->overdrawn); i++) {
		grant *grant = account->grants[i];
		if (grant->scope.len > 0 || !is_positive(&grant->left) || !is_usable(grant, at))
			continue;
		tally_decimal paid = *lesser(&account->overdrawn, &grant->left);
		subtract(&account->overdrawn, &paid);
		subtract(&grant->left, &paid);
		tally_add(&grant->used, &paid);
		record(account, grant, at, TALLY_TEXT("overdraft"), &paid);
	}
}

/* The end of the period that holds a time, or of the grant. */
static int64_t period_end(const account *account, const grant *grant, int64_t time) {
	int64_t second = tally_floor_divide(time, MICROSECONDS);
	if (!grant->recurs)
		return grant->expires;
	grid windows = {grant->span, account->config->credits.zone};
	int64_t end = window_at(&windows, second).end * MICROSECONDS;
	return end < grant->expires ? end : grant->expires;
}

/* When a grant changes next. */
static int64_t next_change(const grant *grant) {
	bool last = !grant->recurs || grant->until >= grant->expires;
	if (grant->revoked || (grant->started && last && tally_is_zero(&grant->left)))
		return NEVER;
	return grant->started ? grant->until : grant->effective;
}

bool comes_before(const grant *a, const grant *b) {
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->until != b->until)
		return a->until < b->until;
	return a->sequence < b->sequence;
}

/* Moves the grant that is at a place to where it belongs among those before. */
static void put_in_order(account *account, uint32_t at) {
	grant *moved = account->grants[at];
	for (; at > 0 && comes_before(moved, account->grants[at - 1]); at--)
		account->grants[at] = account->grants[at - 1];
	account->grants[at] = moved;
}

static void start(account *account, grant *grant, int64_t at) {
	grant->started = true;
	grant->until = period_end(account, grant, at);
	record(account, grant, at, TALLY_TEXT("grant"), &grant->left);
}

/* Begins a recurring grant's next period. Those in which nothing can happen are
 * passed over: nothing is left to pay, and there was no event. */
static void renew(account *account, grant *grant, int64_t at) {
	grid windows = {grant->span, account->config->credits.zone};
	bool pays = grant->scope.len == 0 && is_positive(&account->overdrawn);
	int64_t from = at, last = account->now < grant->expires ? account->now : grant->expires - 1;
	if (!pays && last > at) {
		from = window_at(&windows, tally_floor_divide(last, MICROSECONDS)).start * MICROSECONDS;
		from = from > at ? from : at;
	}
	grant->until = period_end(account, grant, from);
	grant->left = grant->amount;
	tally_set_decimal(&grant->used, 0);
	tally_set_decimal(&grant->lapsed, 0);
	record(account, grant, from, TALLY_TEXT("renew"), &grant->amount);
}

/* Ends a grant's period, or the grant. */
static void end_period(account *account, grant *grant) {
	int64_t at = grant->until;
	bool last = !grant->recurs || at >= grant->expires;
	if (is_positive(&grant->left)) {
		tally_decimal lapsed = grant->left;
		tally_add(&grant->lapsed, &lapsed);
		tally_set_decimal(&grant->left, 0);
		record(account, grant, at, TALLY_TEXT("expire"), &lapsed);
	}
	if (!last)
		renew(account, grant, at);
}

/* ---- What is held ---- */

static grant *find_sequence(const account *account, int64_t sequence) {
	for (uint32_t i = 0; i < account->len; i++)
		if (account->grants[i]->sequence == sequence)
			return account->grants[i];
	return 0;
}

/* Gives back to a grant what was held and is not used, where its time has not passed. */
static void give_back(account *account, grant *grant, const hold *hold, const tally_decimal *used, int64_t now, tally_text what) {
	tally_decimal rest = hold->amount;
	bool current = grant->until == hold->until;
	subtract(&rest, used);
	subtract(&grant->held, &hold->amount);
	if (current || !grant->recurs)
		tally_add(&grant->used, used);
	if (is_positive(&rest) && current && is_usable(grant, now))
		tally_add(&grant->left, &rest);
	else if (current || !grant->recurs)
		tally_add(&grant->lapsed, &rest);
	if (is_positive(used))
		record(account, grant, now, TALLY_TEXT("settle"), used);
	if (is_positive(&rest))
		record(account, grant, now, what, &rest);
}

/* Uses so much of what a reservation holds, and gives back the rest. */
static void settle(account *account, const reservation *reservation, const tally_decimal *amount, int64_t now, tally_text what) {
	tally_decimal rest = *amount;
	for (uint32_t i = 0; i < reservation->len; i++) {
		const hold *hold = &reservation->holds[i];
		grant *grant = find_sequence(account, hold->grant);
		tally_decimal used = *lesser(&rest, &hold->amount);
		subtract(&rest, &used);
		if (grant != 0)
			give_back(account, grant, hold, &used, now, what);
	}
	subtract(&account->held, &reservation->overdrawn);
	tally_add(&account->overdrawn, &rest);
}

/* ---- Time ---- */

/* When a grant changes first, if that is due; else NEVER. */
static int64_t first_due(const account *account) {
	int64_t first = NEVER;
	for (uint32_t i = 0; i < account->len; i++) {
		int64_t next = next_change(account->grants[i]);
		if (next <= account->now && next < first)
			first = next;
	}
	return first;
}

/* Does what happens to grants at a time. */
static void change_grants(account *account, int64_t time) {
	for (uint32_t i = 0; i < account->len; i++) {
		grant *grant = account->grants[i];
		if (next_change(grant) != time)
			continue;
		if (grant->started)
			end_period(account, grant);
		else
			start(account, grant, time);
	}
	for (uint32_t i = 1; i < account->len; i++)
		put_in_order(account, i);
}

/* Reservations in the order in which they run out. */
typedef struct {
	tally_scan scan;
	reservation next;
	hold *holds;
} lapses;

/* Reads the next reservation; false where none has run out. */
static bool next_lapse(account *account, lapses *due) {
	enum { LATER_PAGE = 64 };
	tally_text value;
	if (account->lapses > account->now)
		return false;
	if (due->holds == 0)
		due->holds = room_for_holds();
	if (!tally_scan_next(&due->scan, &due->next.key, &value)) {
		account->lapses = NEVER;
		return false;
	}
	tally_text key = due->next.key;
	if (!read_reservation(value, due->holds, &due->next)) {
		account->lapses = NEVER;
		return false;
	}
	due->scan.page = LATER_PAGE;
	due->next.key = key;
	account->lapses = due->next.lapses;
	return due->next.lapses <= account->now;
}

/* Ends a reservation that has run out. The scan reuses the memory of its texts. */
static void end_lapsed(account *account, const reservation *due) {
	static const tally_text nothing;
	tally_decimal none;
	lapse *made = tally_room(sizeof *made);
	tally_set_decimal(&none, 0);
	settle(account, due, &none, due->lapses, run_out);
	account->open--;
	account->holds -= due->len;
	*made = (lapse){account->lapsed, join(due->key, nothing, nothing, nothing), join(due->name, nothing, nothing, nothing)};
	account->lapsed = made;
}

void advance(account *account) {
	enum { FIRST_PAGE = 4, MOST_STEPS = 2000 };
	lapses due = {.scan = {.prefix = account_key(TALLY_TEXT("lapse/"), account, TALLY_TEXT("")), .page = FIRST_PAGE, .frugal = true}};
	bool lapses = next_lapse(account, &due);
	for (uint32_t steps = 0; steps < MOST_STEPS; steps++) {
		int64_t grants = first_due(account), time = grants;
		if (lapses && due.next.lapses < time)
			time = due.next.lapses;
		if (time == NEVER)
			return;
		if (grants == time)
			change_grants(account, time);
		for (; lapses && due.next.lapses == time; lapses = next_lapse(account, &due))
			end_lapsed(account, &due.next);
		pay_overdrawn(account, time);
	}
}

/* ---- Using ---- */

tally_decimal credits_left(const account *account, tally_text scope) {
	tally_decimal left;
	tally_set_decimal(&left, 0);
	for (uint32_t i = 0; i < account->len; i++)
		if (is_usable(account->grants[i], account->now) && covers(account->grants[i], scope))
			tally_add(&left, &account->grants[i]->left);
	return left;
}

tally_decimal balance(const account *account) {
	tally_decimal left;
	tally_set_decimal(&left, 0);
	for (uint32_t i = 0; i < account->len; i++)
		if (is_usable(account->grants[i], account->now))
			tally_add(&left, &account->grants[i]->left);
	subtract(&left, &account->overdrawn);
	return left;
}

bool is_beyond(const account *account, tally_text scope, const tally_decimal *amount) {
	tally_decimal rest = *amount, left = credits_left(account, scope);
	subtract(&rest, &left);
	if (!is_positive(&rest))
		return false;
	tally_add(&rest, &account->overdrawn);
	tally_add(&rest, &account->held);
	return tally_compare(&rest, &account->config->credits.overdraft) > 0;
}

/* Takes an amount of the grants in their order: as used, or as held where there
 * is a reservation. Returns what is left of it. */
static tally_decimal take_credits(account *account, tally_text scope, const tally_decimal *amount, tally_text what, reservation *holder) {
	tally_decimal rest = *amount;
	for (uint32_t i = 0; i < account->len && is_positive(&rest); i++) {
		grant *grant = account->grants[i];
		if (!is_positive(&grant->left) || !is_usable(grant, account->now) || !covers(grant, scope))
			continue;
		tally_decimal taken = *lesser(&rest, &grant->left);
		subtract(&rest, &taken);
		subtract(&grant->left, &taken);
		tally_add(holder != 0 ? &grant->held : &grant->used, &taken);
		record(account, grant, account->now, what, &taken);
		if (holder != 0)
			holder->holds[holder->len++] = (hold){grant->sequence, grant->until, taken};
	}
	return rest;
}

void burn(account *account, tally_text scope, const tally_decimal *amount, tally_text what) {
	tally_decimal rest = take_credits(account, scope, amount, what, 0);
	tally_add(&account->overdrawn, &rest);
}

void reserve(account *account, reservation *made) {
	made->holds = tally_room((account->len + 1) * sizeof *made->holds);
	made->overdrawn = take_credits(account, made->scope, &made->amount, TALLY_TEXT("reserve"), made);
	tally_add(&account->held, &made->overdrawn);
}

/* ---- Grants of events ---- */

void add_grant(account *account, const grant *added) {
	grant *made = tally_room(sizeof *made);
	*made = *added;
	account->grants[account->len++] = made;
	made->until = period_end(account, made, made->effective);
	if (made->effective <= account->now)
		start(account, made, account->now);
	put_in_order(account, account->len - 1);
	if (made->started && made->until <= account->now)
		end_period(account, made);
	pay_overdrawn(account, account->now);
}

void revoke_grant(account *account, grant *revoked) {
	tally_decimal lapsed = revoked->left;
	revoked->revoked = true;
	tally_add(&revoked->lapsed, &lapsed);
	tally_set_decimal(&revoked->left, 0);
	record(account, revoked, account->now, TALLY_TEXT("revoke"), &lapsed);
}

void release(account *account, const reservation *reservation) {
	tally_decimal none;
	tally_set_decimal(&none, 0);
	settle(account, reservation, &none, account->now, TALLY_TEXT("release"));
	pay_overdrawn(account, account->now);
}

void charge_reservation(account *account, const reservation *reservation, const tally_decimal *amount) {
	settle(account, reservation, amount, account->now, TALLY_TEXT("return"));
	pay_overdrawn(account, account->now);
}
