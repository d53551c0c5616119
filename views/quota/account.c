/* An account as it stands in the state. */

#include "account.h"
#include "reader.h"

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

/* The span of a recurring grant. */
static void take_span(reader *r, grant *read) {
	read->recurs = true;
	if (!span_of(take_string(r), &read->span))
		r->broken = true;
}

static void take_grant(reader *r, grant *read) {
	*read = (grant){.expires = NEVER, .until = NEVER};
	expect(r, TALLY_TEXT("{\"grant\":"));
	read->name = take_string(r);
	expect(r, TALLY_TEXT(",\"sequence\":"));
	read->sequence = take_integer(r);
	expect(r, TALLY_TEXT(",\"priority\":"));
	read->priority = take_integer(r);
	expect(r, TALLY_TEXT(",\"effective\":"));
	read->effective = take_integer(r);
	if (take(r, TALLY_TEXT(",\"expires\":")))
		read->expires = take_integer(r);
	if (take(r, TALLY_TEXT(",\"until\":")))
		read->until = take_integer(r);
	else
		read->until = read->expires;
	if (take(r, TALLY_TEXT(",\"scope\":")))
		read->scope = take_strings(r);
	if (take(r, TALLY_TEXT(",\"recurring\":")))
		take_span(r, read);
	read->started = !take(r, TALLY_TEXT(",\"pending\":true"));
	read->revoked = take(r, TALLY_TEXT(",\"revoked\":true"));
	expect(r, TALLY_TEXT(",\"amount\":"));
	take_total(r, &read->amount);
	expect(r, TALLY_TEXT(",\"left\":"));
	take_total(r, &read->left);
	expect(r, TALLY_TEXT(",\"held\":"));
	take_total(r, &read->held);
	expect(r, TALLY_TEXT(",\"used\":"));
	take_total(r, &read->used);
	expect(r, TALLY_TEXT(",\"lapsed\":"));
	take_total(r, &read->lapsed);
	expect(r, TALLY_TEXT(",\"changes\":"));
	read->changes = take_integer(r);
	expect(r, TALLY_TEXT("}"));
}

bool read_grant(tally_text source, grant *read) {
	reader r = reader_of(source);
	take_grant(&r, read);
	return is_done(&r);
}

static void take_account(reader *r, account *read) {
	expect(r, TALLY_TEXT("{\"sequence\":"));
	take_integer(r);
	expect(r, TALLY_TEXT(",\"overdrawn\":"));
	take_total(r, &read->overdrawn);
	expect(r, TALLY_TEXT(",\"held\":"));
	take_total(r, &read->held);
	expect(r, TALLY_TEXT(",\"uncharged\":"));
	take_total(r, &read->uncharged);
	expect(r, TALLY_TEXT(",\"over\":"));
	read->over = take_integer(r);
	expect(r, TALLY_TEXT(",\"open\":"));
	read->open = take_integer(r);
	expect(r, TALLY_TEXT(",\"holds\":"));
	read->holds = take_integer(r);
	if (take(r, TALLY_TEXT(",\"lapses\":")))
		read->lapses = take_integer(r);
	if (take(r, TALLY_TEXT(",\"forgets\":")))
		read->forgets = take_integer(r);
	expect(r, TALLY_TEXT(",\"grants\":["));
	while (!r->broken && !take(r, TALLY_TEXT("]}"))) {
		grant *next = tally_room(sizeof *next);
		if (read->len > 0)
			expect(r, TALLY_TEXT(","));
		take_grant(r, next);
		if (read->len == MOST_GRANTS)
			r->broken = true;
		else
			read->grants[read->len++] = next;
	}
}

bool load_account(const configuration *config, tally_text place, int64_t now, int64_t sequence, account *read) {
	tally_text value;
	*read = (account){.config = config, .place = place, .now = now, .sequence = sequence, .lapses = NEVER, .forgets = NEVER};
	read->key = account_key(TALLY_TEXT("account/"), read, TALLY_TEXT(""));
	if (!tally_get(read->key, &value))
		return true;
	reader r = reader_of(value);
	take_account(&r, read);
	if (!is_done(&r))
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
	if (grant->until != grant->expires)
		put_integer(out, TALLY_TEXT("until"), grant->until);
	if (grant->scope.len > 0) {
		put_name(out, TALLY_TEXT("scope"));
		tally_put(out, grant->scope);
	}
	if (grant->recurs)
		put_stored(out, TALLY_TEXT("recurring"), span_names[grant->span]);
	if (!grant->started)
		put_flag(out, TALLY_TEXT("pending"));
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
	for (lapse *lapsed = account->lapsed; lapsed != 0; lapsed = lapsed->next) {
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
	put_integer(&out, TALLY_TEXT("holds"), account->holds);
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
