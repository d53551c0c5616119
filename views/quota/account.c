/* An account as it stands in the state. */

#include "account.h"

/* ---- Keys ---- */

tally_text account_key(tally_text family, const account *account, tally_text name) {
	return join(family, account->place, name, TALLY_TEXT(""));
}

/* Times in keys are in order. */
static void put_time_digits(tally_out *out, int64_t time) {
	enum { TIME_DIGITS = 19 };
	tally_put_padded(out, time < 0 ? 0 : (uint64_t)time, TIME_DIGITS);
	tally_put_char(out, '/');
}

tally_text time_key(tally_text family, const account *account, int64_t time, tally_text name) {
	tally_out out = tally_out_new(64 + account->place.len + name.len);
	tally_put(&out, family);
	tally_put(&out, account->place);
	put_time_digits(&out, time);
	tally_put(&out, name);
	return tally_out_text(&out);
}

tally_text history_key(const account *account, tally_text grant, int64_t place) {
	enum { PLACE_DIGITS = 4 };
	tally_out out = tally_out_new(64 + account->place.len + grant.len);
	tally_put(&out, TALLY_TEXT("history/"));
	tally_put(&out, account->place);
	tally_put(&out, grant);
	tally_put_char(&out, '/');
	tally_put_padded(&out, (uint64_t)place, PLACE_DIGITS);
	return tally_out_text(&out);
}

/* ---- Reading ---- */

static bool read_flag(tally_text source, bool *flag) {
	*flag = tally_equal(source, TALLY_TEXT("true"));
	return true;
}

static bool read_span(tally_text source, grant *read) {
	tally_text name;
	read->recurs = true;
	return tally_string(source, &name) && span_of(name, &read->span);
}

static bool read_grant_member(tally_text name, tally_text source, grant *read) {
	if (tally_equal(name, TALLY_TEXT("grant")))
		return tally_string(source, &read->name);
	if (tally_equal(name, TALLY_TEXT("sequence")))
		return read_integer(source, &read->sequence);
	if (tally_equal(name, TALLY_TEXT("priority")))
		return read_integer(source, &read->priority);
	if (tally_equal(name, TALLY_TEXT("effective")))
		return read_integer(source, &read->effective);
	if (tally_equal(name, TALLY_TEXT("expires")))
		return read_integer(source, &read->expires);
	if (tally_equal(name, TALLY_TEXT("until")))
		return read_integer(source, &read->until);
	if (tally_equal(name, TALLY_TEXT("amount")))
		return read_total(source, &read->amount);
	if (tally_equal(name, TALLY_TEXT("left")))
		return read_total(source, &read->left);
	if (tally_equal(name, TALLY_TEXT("held")))
		return read_total(source, &read->held);
	if (tally_equal(name, TALLY_TEXT("used")))
		return read_total(source, &read->used);
	if (tally_equal(name, TALLY_TEXT("lapsed")))
		return read_total(source, &read->lapsed);
	if (tally_equal(name, TALLY_TEXT("changes")))
		return read_integer(source, &read->changes);
	if (tally_equal(name, TALLY_TEXT("started")))
		return read_flag(source, &read->started);
	if (tally_equal(name, TALLY_TEXT("revoked")))
		return read_flag(source, &read->revoked);
	if (tally_equal(name, TALLY_TEXT("recurring")))
		return read_span(source, read);
	if (tally_equal(name, TALLY_TEXT("scope")))
		read->scope = source;
	return true;
}

bool read_grant(tally_text source, grant *read) {
	tally_text name, value;
	*read = (grant){.expires = NEVER, .until = NEVER};
	tally_members members = tally_object(source);
	while (tally_member_next(&members, &name, &value))
		if (!read_grant_member(name, value, read))
			return false;
	return !members.broken;
}

static bool read_grants(tally_text source, account *read) {
	tally_text element;
	tally_members elements = tally_array(source);
	while (tally_element_next(&elements, &element)) {
		grant *next = tally_room(sizeof *next);
		if (read->len == MOST_GRANTS || !read_grant(element, next))
			return false;
		read->grants[read->len++] = next;
	}
	return !elements.broken;
}

static bool read_account_member(tally_text name, tally_text source, account *read) {
	if (tally_equal(name, TALLY_TEXT("overdrawn")))
		return read_total(source, &read->overdrawn);
	if (tally_equal(name, TALLY_TEXT("held")))
		return read_total(source, &read->held);
	if (tally_equal(name, TALLY_TEXT("uncharged")))
		return read_total(source, &read->uncharged);
	if (tally_equal(name, TALLY_TEXT("over")))
		return read_integer(source, &read->over);
	if (tally_equal(name, TALLY_TEXT("open")))
		return read_integer(source, &read->open);
	if (tally_equal(name, TALLY_TEXT("lapses")))
		return read_integer(source, &read->lapses);
	if (tally_equal(name, TALLY_TEXT("forgets")))
		return read_integer(source, &read->forgets);
	if (tally_equal(name, TALLY_TEXT("grants")))
		return read_grants(source, read);
	return true;
}

bool load_account(const configuration *config, tally_text place, int64_t now, int64_t sequence, account *read) {
	tally_text value, name, source;
	*read = (account){.config = config, .place = place, .now = now, .sequence = sequence, .lapses = NEVER, .forgets = NEVER};
	read->key = account_key(TALLY_TEXT("account/"), read, TALLY_TEXT(""));
	read->known = tally_get(read->key, &value);
	if (!read->known)
		return true;
	tally_members members = tally_object(value);
	while (tally_member_next(&members, &name, &source))
		if (!read_account_member(name, source, read))
			return tally_fail_totals(read->key) != TALLY_FAILED;
	if (members.broken)
		return tally_fail_totals(read->key) != TALLY_FAILED;
	advance(read);
	return true;
}

/* ---- Writing ---- */

static void put_number(tally_out *out, tally_text name, const tally_decimal *n) {
	put_name(out, name);
	tally_put_decimal(out, n);
}

static void put_flag(tally_out *out, tally_text name) {
	put_name(out, name);
	tally_put(out, TALLY_TEXT("true"));
}

static void put_stored(tally_out *out, tally_text name, tally_text value) {
	put_name(out, name);
	tally_put_string(out, value);
}

void put_grant(tally_out *out, const grant *grant) {
	tally_put_char(out, '{');
	put_stored(out, TALLY_TEXT("grant"), grant->name);
	put_integer(out, TALLY_TEXT("sequence"), grant->sequence);
	put_integer(out, TALLY_TEXT("priority"), grant->priority);
	put_integer(out, TALLY_TEXT("effective"), grant->effective);
	if (grant->expires != NEVER)
		put_integer(out, TALLY_TEXT("expires"), grant->expires);
	if (grant->until != NEVER)
		put_integer(out, TALLY_TEXT("until"), grant->until);
	if (grant->scope.len > 0) {
		put_name(out, TALLY_TEXT("scope"));
		tally_put(out, grant->scope);
	}
	if (grant->recurs)
		put_stored(out, TALLY_TEXT("recurring"), span_names[grant->span]);
	if (grant->started)
		put_flag(out, TALLY_TEXT("started"));
	if (grant->revoked)
		put_flag(out, TALLY_TEXT("revoked"));
	put_number(out, TALLY_TEXT("amount"), &grant->amount);
	put_number(out, TALLY_TEXT("left"), &grant->left);
	put_number(out, TALLY_TEXT("held"), &grant->held);
	put_number(out, TALLY_TEXT("used"), &grant->used);
	put_number(out, TALLY_TEXT("lapsed"), &grant->lapsed);
	put_integer(out, TALLY_TEXT("changes"), grant->changes);
	tally_put_char(out, '}');
}

void put_change(tally_out *out, const change *change) {
	tally_put_char(out, '{');
	put_integer(out, TALLY_TEXT("n"), change->n);
	put_integer(out, TALLY_TEXT("at"), change->at);
	put_integer(out, TALLY_TEXT("sequence"), change->sequence);
	put_stored(out, TALLY_TEXT("what"), change->what);
	put_number(out, TALLY_TEXT("amount"), &change->amount);
	put_number(out, TALLY_TEXT("left"), &change->left);
	tally_put_char(out, '}');
}

static void store_changes(account *account) {
	int64_t kept = account->config->credits.history;
	for (uint32_t i = 0; i < account->changes_len; i++) {
		const change *change = &account->changes[i];
		void *mark = tally_mark();
		tally_out out = tally_out_new(256);
		put_change(&out, change);
		tally_set(history_key(account, change->grant, change->n % kept), tally_out_text(&out));
		tally_release(mark);
	}
}

void store_closed(account *account, tally_text name, tally_text how) {
	tally_text key = account_key(TALLY_TEXT("reservation/"), account, name);
	int64_t remember = account->config->credits.remember;
	if (remember == 0) {
		tally_delete(key);
		return;
	}
	tally_out out = tally_out_new(128);
	tally_put_char(&out, '{');
	put_stored(&out, TALLY_TEXT("closed"), how);
	put_integer(&out, TALLY_TEXT("sequence"), account->sequence);
	tally_put_char(&out, '}');
	tally_set(key, tally_out_text(&out));
	/* By the hour, so that they are looked for once an hour. */
	int64_t hour = tally_floor_divide(tally_floor_divide(account->now, MICROSECONDS) + remember, HOUR_SECONDS) + 1;
	int64_t time = hour * HOUR_SECONDS * MICROSECONDS;
	tally_set(time_key(TALLY_TEXT("forget/"), account, time, name), TALLY_TEXT("1"));
	if (time < account->forgets)
		account->forgets = time;
}

static void store_lapsed(account *account) {
	for (reservation *lapsed = account->lapsed; lapsed != 0; lapsed = lapsed->next) {
		void *mark = tally_mark();
		tally_delete(lapsed->key);
		store_closed(account, lapsed->name, TALLY_TEXT("ran_out"));
		tally_release(mark);
	}
}

/* Forgets names of closed reservations whose time has come, a page at a time. */
static void forget(account *account) {
	enum { PAGE = 64 };
	tally_text key, value, reservation;
	int64_t time = 0;
	uint32_t n = 0;
	if (account->now < account->forgets)
		return;
	tally_text prefix = account_key(TALLY_TEXT("forget/"), account, TALLY_TEXT(""));
	tally_scan scan = {.prefix = prefix, .page = PAGE};
	account->forgets = NEVER;
	while (tally_scan_next(&scan, &key, &value)) {
		tally_text rest = {key.at + prefix.len, key.len - prefix.len}, digits;
		if (!take_value(&rest, &digits) || !read_integer((tally_text){digits.at + 1, digits.len - 1}, &time))
			return;
		if (time > account->now || n++ == PAGE) {
			account->forgets = time;
			return;
		}
		reservation = account_key(TALLY_TEXT("reservation/"), account, rest);
		tally_delete(key);
		tally_delete(reservation);
	}
}

static void close_grants(account *account) {
	uint32_t kept = 0;
	for (uint32_t i = 0; i < account->len; i++) {
		grant *grant = account->grants[i];
		if (!is_closed(grant, account->now)) {
			account->grants[kept++] = grant;
			continue;
		}
		tally_out out = tally_out_new(512);
		put_grant(&out, grant);
		tally_set(account_key(TALLY_TEXT("grant/"), account, grant->name), tally_out_text(&out));
	}
	account->len = kept;
}

void store_account(account *account) {
	store_changes(account);
	store_lapsed(account);
	forget(account);
	close_grants(account);
	tally_out out = tally_out_new(128 + 512 * account->len);
	tally_put_char(&out, '{');
	put_integer(&out, TALLY_TEXT("sequence"), account->sequence);
	put_number(&out, TALLY_TEXT("overdrawn"), &account->overdrawn);
	put_number(&out, TALLY_TEXT("held"), &account->held);
	put_number(&out, TALLY_TEXT("uncharged"), &account->uncharged);
	put_integer(&out, TALLY_TEXT("over"), account->over);
	put_integer(&out, TALLY_TEXT("open"), account->open);
	if (account->lapses != NEVER)
		put_integer(&out, TALLY_TEXT("lapses"), account->lapses);
	if (account->forgets != NEVER)
		put_integer(&out, TALLY_TEXT("forgets"), account->forgets);
	put_name(&out, TALLY_TEXT("grants"));
	tally_put_char(&out, '[');
	for (uint32_t i = 0; i < account->len; i++) {
		if (i > 0)
			tally_put_char(&out, ',');
		put_grant(&out, account->grants[i]);
	}
	tally_put(&out, TALLY_TEXT("]}"));
	tally_set(account->key, tally_out_text(&out));
}
