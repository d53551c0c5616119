/* The answers. */

#include "decision.h"
#include "question.h"

/* ---- Limits ---- */

typedef struct {
	tally_out out;
	uint32_t rows;
	uint32_t read;
	tally_text next;
} page;

static void begin_row(page *page) {
	if (page->rows++ > 0)
		tally_put_char(&page->out, ',');
	tally_put_char(&page->out, '{');
}

static bool put_limit_row(page *page, const limit *limit, tally_text group, const question *q) {
	usage used;
	int64_t now = tally_floor_divide(q->at, MICROSECONDS);
	if (!load_usage(limit_key(limit, group), now, &used))
		return false;
	begin_row(page);
	put_limit(&page->out, limit, group, &used, now);
	put_text(&page->out, TALLY_TEXT("aggregation"), measure_names[limit->measure]);
	if (!limit->rolling)
		put_text(&page->out, TALLY_TEXT("timezone"), limit->zone_name);
	put_integer(&page->out, TALLY_TEXT("over"), used.over);
	put_name(&page->out, TALLY_TEXT("soft"));
	tally_put(&page->out, limit->soft ? TALLY_TEXT("true}") : TALLY_TEXT("false}"));
	return true;
}

/* The rows of a limit whose groups are not all asked for, after a key. */
static bool put_limit_rows(page *page, const limit *limit, tally_text after, const question *q) {
	tally_text key, value, last = {0};
	tally_text prefix = limit_key(limit, TALLY_TEXT(""));
	tally_scan scan = {.prefix = prefix, .after = after, .page = 64};
	while (tally_scan_next(&scan, &key, &value)) {
		tally_text group = {key.at + prefix.len, key.len - prefix.len};
		if (page->rows == q->limit || page->read++ == MOST_READ) {
			page->next = last.len > 0 ? last : prefix;
			return true;
		}
		last = key;
		if (matches(q, &limit->groups, group) && !put_limit_row(page, limit, group, q))
			return false;
	}
	return true;
}

int64_t answer_limits(const configuration *config, const question *q) {
	page page = {.out = begin_page(q)};
	bool found = false, reached = q->after.len == 0;
	put_name(&page.out, TALLY_TEXT("limits"));
	tally_put_char(&page.out, '[');
	for (uint32_t i = 0; i < config->limits_len && page.next.len == 0; i++) {
		const limit *limit = &config->limits[i];
		tally_text place, after = {0}, own = limit_key(limit, TALLY_TEXT(""));
		if (q->name.len > 0 && !tally_equal(limit->name, q->name))
			continue;
		found = true;
		if (!reached) {
			reached = q->after.len >= own.len && tally_equal((tally_text){q->after.at, own.len}, own);
			if (!reached)
				continue;
			after = q->after.len > own.len ? q->after : (tally_text){0};
		}
		if (page.rows == q->limit) {
			page.next = own;
		} else if (find_place(q, &limit->groups, own, TALLY_TEXT(""), &place)) {
			if (!put_limit_row(&page, limit, place, q))
				return TALLY_FAILED;
		} else if (!put_limit_rows(&page, limit, after, q)) {
			return TALLY_FAILED;
		}
	}
	if (!found)
		return tally_fail_shown(TALLY_TEXT("name is "), q->name, TALLY_TEXT(", which is no limit of the configuration"));
	return end_page(&page.out, page.next);
}

/* ---- Balances ---- */

/* What may be used of each scope that a grant has. */
static void put_scopes(tally_out *out, const account *account) {
	tally_text element, scope, put[MOST_SCOPES * 4];
	uint32_t n = 0;
	put_name(out, TALLY_TEXT("scopes"));
	tally_put_char(out, '[');
	for (uint32_t i = 0; i < account->len; i++) {
		const grant *grant = account->grants[i];
		tally_members elements = tally_array(grant->scope);
		while (grant->scope.len > 0 && is_usable(grant, account->now) && tally_element_next(&elements, &element)) {
			bool known = !tally_string(element, &scope) || n == sizeof put / sizeof *put;
			for (uint32_t j = 0; j < n && !known; j++)
				known = tally_equal(put[j], scope);
			if (known)
				continue;
			tally_decimal free = available(account, scope);
			put[n++] = scope;
			tally_put(out, n > 1 ? TALLY_TEXT(",{\"scope\":") : TALLY_TEXT("{\"scope\":"));
			put_json_value(out, scope);
			put_amount(out, TALLY_TEXT("available"), &free);
			tally_put_char(out, '}');
		}
	}
	tally_put_char(out, ']');
}

/* The way in which a scope stands in a grant of the account, or the first. */
static tally_text asked_scope(const question *q, const account *account) {
	tally_text scope = q->scope.given ? q->scope.as[0] : TALLY_TEXT("~");
	for (uint32_t way = 0; way < q->scope.len; way++)
		for (uint32_t i = 0; i < account->len; i++)
			if (account->grants[i]->scope.len > 0 && covers(account->grants[i], q->scope.as[way]))
				return q->scope.as[way];
	return scope;
}

static void put_balance(tally_out *out, const account *account, const question *q) {
	put_credits(out, account, asked_scope(q, account));
	put_amount(out, TALLY_TEXT("uncharged"), &account->uncharged);
	put_integer(out, TALLY_TEXT("over"), account->over);
	put_integer(out, TALLY_TEXT("reservations"), account->open);
	put_scopes(out, account);
}

static int64_t answer_balances(const configuration *config, const question *q) {
	tally_text key, value, prefix = TALLY_TEXT("account/"), last = {0}, after = {0};
	page page = {.out = begin_page(q)};
	put_name(&page.out, TALLY_TEXT("accounts"));
	tally_put_char(&page.out, '[');
	if (q->after.len > 0)
		after = join(prefix, q->after, TALLY_TEXT(""), TALLY_TEXT(""));
	tally_scan scan = {.prefix = prefix, .after = after, .page = 64};
	while (tally_scan_next(&scan, &key, &value)) {
		tally_text place = {key.at + prefix.len, key.len - prefix.len};
		if (page.rows == q->limit || page.read++ == MOST_READ)
			return end_page(&page.out, last);
		last = place;
		if (!matches(q, &config->credits.groups, place))
			continue;
		account *account = tally_room(sizeof *account);
		if (!load_account(config, place, q->at, 0, account))
			return TALLY_FAILED;
		begin_row(&page);
		put_balance(&page.out, account, q);
		tally_put_char(&page.out, '}');
	}
	return end_page(&page.out, (tally_text){0});
}

static int64_t answer_balance(const account *account, const question *q) {
	tally_out out = begin_page(q);
	put_balance(&out, account, q);
	tally_put_char(&out, '}');
	return tally_answer(tally_out_text(&out));
}

/* ---- Grants ---- */

static tally_text status_of(const grant *grant, int64_t now) {
	if (grant->revoked)
		return TALLY_TEXT("revoked");
	if (grant->expires <= now)
		return TALLY_TEXT("expired");
	if (!grant->started)
		return TALLY_TEXT("pending");
	return tally_is_zero(&grant->left) ? TALLY_TEXT("used_up") : TALLY_TEXT("active");
}

static void put_grant_row(page *page, const grant *grant, int64_t now) {
	tally_out *out = &page->out;
	tally_text element, scope;
	begin_row(page);
	put_name(out, TALLY_TEXT("grant"));
	put_json_value(out, grant->name);
	put_text(out, TALLY_TEXT("status"), status_of(grant, now));
	put_integer(out, TALLY_TEXT("sequence"), grant->sequence);
	put_integer(out, TALLY_TEXT("priority"), grant->priority);
	put_moment(out, TALLY_TEXT("effective"), grant->effective);
	put_moment(out, TALLY_TEXT("expires"), grant->expires);
	if (grant->recurs) {
		put_text(out, TALLY_TEXT("recurring"), span_names[grant->span]);
		put_moment(out, TALLY_TEXT("renews"), grant->until < grant->expires ? grant->until : NEVER);
	}
	if (grant->scope.len > 0) {
		put_name(out, TALLY_TEXT("scope"));
		tally_put_char(out, '[');
		tally_members elements = tally_array(grant->scope);
		for (uint32_t i = 0; tally_element_next(&elements, &element) && tally_string(element, &scope); i++) {
			if (i > 0)
				tally_put_char(out, ',');
			put_json_value(out, scope);
		}
		tally_put_char(out, ']');
	}
	put_amount(out, TALLY_TEXT("amount"), &grant->amount);
	put_amount(out, TALLY_TEXT("left"), &grant->left);
	put_amount(out, TALLY_TEXT("reserved"), &grant->held);
	put_amount(out, TALLY_TEXT("used"), &grant->used);
	put_amount(out, TALLY_TEXT("lapsed"), &grant->lapsed);
	tally_put_char(out, '}');
}

/* A grant, open or closed. */
static bool find_any_grant(const account *account, tally_text name, grant *found) {
	const grant *open = find_grant(account, name);
	tally_text value, key = account_key(TALLY_TEXT("grant/"), account, name);
	if (open != 0) {
		*found = *open;
		return true;
	}
	return key.len <= TALLY_KEY_BYTES && tally_is_utf8(key) && tally_get(key, &value) && read_grant(value, found);
}

static int64_t fail_after(const question *q) {
	return tally_fail_shown(TALLY_TEXT("after is "), q->after, TALLY_TEXT(", which is not what an answer gave as next"));
}

static int64_t answer_closed_grants(const account *account, const question *q) {
	tally_text key, value, prefix = account_key(TALLY_TEXT("grant/"), account, TALLY_TEXT("")), last = {0}, after = {0};
	page page = {.out = begin_page(q)};
	grant closed;
	put_name(&page.out, TALLY_TEXT("grants"));
	tally_put_char(&page.out, '[');
	if (q->after.len > 0)
		after = join(prefix, q->after, TALLY_TEXT(""), TALLY_TEXT(""));
	tally_scan scan = {.prefix = prefix, .after = after, .page = 64};
	while (tally_scan_next(&scan, &key, &value)) {
		if (page.rows == q->limit || page.read++ == MOST_READ)
			return end_page(&page.out, last);
		last = (tally_text){key.at + prefix.len, key.len - prefix.len};
		const grant *open = find_grant(account, last);
		if (open != 0 && is_closed(open, q->at))
			put_grant_row(&page, open, q->at);
		else if (open == 0 && read_grant(value, &closed))
			put_grant_row(&page, &closed, q->at);
	}
	return end_page(&page.out, (tally_text){0});
}

static int64_t answer_grants(const account *account, const question *q) {
	page page = {.out = begin_page(q)};
	grant before; /* which may have been closed since it ended a page */
	if (q->closed)
		return answer_closed_grants(account, q);
	if (q->after.len > 0 && !find_any_grant(account, q->after, &before))
		return fail_after(q);
	put_name(&page.out, TALLY_TEXT("grants"));
	tally_put_char(&page.out, '[');
	for (uint32_t i = 0; i < account->len; i++) {
		const grant *next = account->grants[i];
		if (is_closed(next, account->now) || (q->after.len > 0 && !comes_before(&before, next)))
			continue;
		if (page.rows == q->limit)
			return end_page(&page.out, page.next);
		put_grant_row(&page, next, account->now);
		page.next = next->name;
	}
	return end_page(&page.out, (tally_text){0});
}

/* ---- Reservations ---- */

static int64_t answer_reservations(const account *account, const question *q) {
	tally_text key, value, prefix = account_key(TALLY_TEXT("lapse/"), account, TALLY_TEXT("")), last = {0}, after = {0};
	page page = {.out = begin_page(q)};
	reservation open;
	hold *holds = room_for_holds();
	put_name(&page.out, TALLY_TEXT("reservations"));
	tally_put_char(&page.out, '[');
	if (q->after.len > 0)
		after = join(prefix, q->after, TALLY_TEXT(""), TALLY_TEXT(""));
	tally_scan scan = {.prefix = prefix, .after = after, .page = 64};
	while (tally_scan_next(&scan, &key, &value)) {
		if (page.rows == q->limit)
			return end_page(&page.out, last);
		last = (tally_text){key.at + prefix.len, key.len - prefix.len};
		if (!read_reservation(value, holds, &open) || open.lapses <= q->at)
			continue;
		begin_row(&page);
		put_name(&page.out, TALLY_TEXT("reservation"));
		put_json_value(&page.out, open.name);
		put_integer(&page.out, TALLY_TEXT("sequence"), open.sequence);
		put_amount(&page.out, TALLY_TEXT("amount"), &open.amount);
		if (account->config->credits.scope != NO_FIELD) {
			put_name(&page.out, TALLY_TEXT("scope"));
			put_json_value(&page.out, open.scope);
		}
		put_moment(&page.out, TALLY_TEXT("reserved_at"), open.at);
		put_moment(&page.out, TALLY_TEXT("runs_out_at"), open.lapses);
		tally_put_char(&page.out, '}');
	}
	return end_page(&page.out, (tally_text){0});
}

/* ---- History ---- */

/* Writes a change as it stands in the state, with its time as answers have it. */
static void put_change_row(page *page, tally_text stored) {
	tally_text name, value, text;
	tally_decimal amount;
	int64_t time;
	tally_members members = tally_object(stored);
	begin_row(page);
	while (tally_member_next(&members, &name, &value)) {
		if (tally_equal(name, TALLY_TEXT("at")) && read_integer(value, &time))
			put_moment(&page->out, name, time);
		else if (tally_string(value, &text))
			put_text(&page->out, name, text);
		else if ((tally_equal(name, TALLY_TEXT("amount")) || tally_equal(name, TALLY_TEXT("left"))) && read_total(value, &amount))
			put_amount(&page->out, name, &amount);
		else if (read_integer(value, &time) && !(time == 0 && tally_equal(name, TALLY_TEXT("sequence"))))
			put_integer(&page->out, name, time); /* no event has seen yet what time alone has brought about */
	}
	tally_put_char(&page->out, '}');
}

/* The grant that is asked for, open or closed. */
static bool find_asked_grant(const account *account, const question *q, grant *found) {
	for (uint32_t way = q->grant.len; way-- > 0;)
		if (find_any_grant(account, q->grant.as[way], found))
			return true;
	return false;
}

/* A change as it stands in the state, or would: what is due by now is not written yet. */
static bool find_change(const account *account, tally_text name, int64_t n, tally_text *value) {
	for (uint32_t i = 0; i < account->changes_len; i++)
		if (account->changes[i].n == n && tally_equal(account->changes[i].grant, name)) {
			tally_out out = tally_out_new(256);
			put_change(&out, &account->changes[i]);
			*value = tally_out_text(&out);
			return true;
		}
	return tally_get(history_key(account, name, n % account->config->credits.history), value);
}

static int64_t answer_history(const account *account, const question *q) {
	int64_t kept = account->config->credits.history, from, before;
	tally_text value, next = {0};
	page page = {.out = begin_page(q)};
	grant found;
	if (!find_asked_grant(account, q, &found))
		return tally_fail(TALLY_TEXT("the account has no grant of this name"));
	before = found.changes;
	if (q->after.len > 0 && (!read_integer(q->after, &before) || before < 0 || before > found.changes))
		return fail_after(q);
	from = found.changes > kept ? found.changes - kept : 0;
	put_name(&page.out, TALLY_TEXT("grant"));
	put_json_value(&page.out, found.name);
	put_integer(&page.out, TALLY_TEXT("changes"), found.changes);
	put_name(&page.out, TALLY_TEXT("history"));
	tally_put_char(&page.out, '[');
	for (; before > from && page.rows < q->limit; before--)
		if (find_change(account, found.name, before - 1, &value))
			put_change_row(&page, value);
	if (before > from) {
		tally_out out = tally_out_new(32);
		tally_put_padded(&out, (uint64_t)before, 1);
		next = tally_out_text(&out);
	}
	return end_page(&page.out, next);
}

/* ---- The whole ---- */

int64_t answer_credits(const configuration *config, const question *q) {
	const group_list *groups = &config->credits.groups;
	account *account = tally_room(sizeof *account);
	tally_text place;
	if (!find_place(q, groups, TALLY_TEXT("account/"), TALLY_TEXT(""), &place)) {
		if (q->show == SHOW_BALANCE)
			return answer_balances(config, q);
		return tally_fail(TALLY_TEXT("name the account: give a value for each name of credits' group_by, or missing=<name>"));
	}
	if (place.len > MOST_GROUP_BYTES || !tally_is_utf8(place))
		return tally_fail(TALLY_TEXT("the values of credits' group_by are not UTF-8 of up to 250 bytes together"));
	if (!load_account(config, place, q->at, 0, account))
		return TALLY_FAILED;
	switch (q->show) {
	case SHOW_GRANTS:
		return answer_grants(account, q);
	case SHOW_RESERVATIONS:
		return answer_reservations(account, q);
	case SHOW_HISTORY:
		return answer_history(account, q);
	default:
		return answer_balance(account, q);
	}
}
