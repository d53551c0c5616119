/* What an event is to the credits of its account. */

#include "decision.h"

/* ---- Answers ---- */

tally_decimal available(const account *account, tally_text scope) {
	tally_decimal n = credits_left(account, scope);
	tally_add(&n, &account->config->credits.overdraft);
	subtract(&n, &account->overdrawn);
	subtract(&n, &account->held);
	return n;
}

void put_credits(tally_out *out, const account *account, tally_text scope) {
	tally_decimal left = balance(account), free = available(account, scope), reserved = account->held;
	for (uint32_t i = 0; i < account->len; i++)
		tally_add(&reserved, &account->grants[i]->held);
	put_group(out, TALLY_TEXT("account"), &account->config->credits.groups, account->place);
	put_amount(out, TALLY_TEXT("balance"), &left);
	put_amount(out, TALLY_TEXT("available"), &free);
	put_amount(out, TALLY_TEXT("reserved"), &reserved);
	put_amount(out, TALLY_TEXT("overdrawn"), &account->overdrawn);
	put_amount(out, TALLY_TEXT("overdraft"), &account->config->credits.overdraft);
}

static tally_text credits_answer(const decision *made, tally_text reason, tally_text scope, const tally_decimal *amount) {
	tally_out out = begin_answer(reason);
	put_credits(&out, &made->account, scope);
	if (made->config->credits.scope != NO_FIELD) {
		put_name(&out, TALLY_TEXT("scope"));
		put_json_value(&out, scope);
	}
	put_amount(&out, TALLY_TEXT("amount"), amount);
	tally_put_char(&out, '}');
	return tally_out_text(&out);
}

static void mark_credits(decision *made, tally_text answer) {
	if (made->marks.len + answer.len + SPARE_BYTES > TALLY_GUARD_ANSWER_BYTES)
		return;
	if (made->marks.len == 0) {
		made->marks = tally_out_new(512);
		tally_put_char(&made->marks, '{');
	}
	put_name(&made->marks, TALLY_TEXT("credits"));
	tally_put(&made->marks, answer);
}

/* Refuses with a word about a reservation or grant. */
static void refuse_named(decision *made, tally_text reason, tally_text member, tally_text name) {
	tally_out out = begin_answer(reason);
	put_name(&out, member);
	put_json_value(&out, name);
	tally_put_char(&out, '}');
	refuse_event(made, TALLY_CONFLICT, tally_out_text(&out));
}

static void refuse_unnamed(decision *made, tally_text reason, tally_text member, tally_text name) {
	refuse_named(made, reason, member, name);
	add_reason(&made->reasons, reason);
}

/* ---- Using ---- */

/* Refuses or marks an amount that goes beyond what there is. */
static void judge_amount(decision *made, tally_text scope, const tally_decimal *amount, bool forced) {
	account *account = &made->account;
	tally_decimal left;
	if (is_beyond(account, scope, amount)) {
		account->over++;
		tally_text answer = credits_answer(made, TALLY_TEXT("credits_used_up"), scope, amount);
		if (made->config->credits.soft || forced)
			mark_credits(made, answer);
		else
			refuse_event(made, TALLY_PAYMENT_REQUIRED, answer);
		return;
	}
	left = credits_left(account, scope);
	if (tally_compare(amount, &left) > 0)
		mark_credits(made, credits_answer(made, TALLY_TEXT("overdraft"), scope, amount));
}

static void decide_usage(decision *made) {
	const credits_config *credits = &made->config->credits;
	tally_text reason, scope;
	tally_decimal amount;
	if (!read_amount(&made->event->slot[credits->value], TALLY_TEXT("value"), &amount, &reason)) {
		refuse_uncounted(made, reason);
		return;
	}
	if (tally_is_zero(&amount) || !read_scope(made, &scope))
		return;
	judge_amount(made, scope, &amount, false);
	burn(&made->account, scope, &amount, TALLY_TEXT("usage"));
	made->write = WRITE_ACCOUNT;
}

/* ---- Grants ---- */

/* Whether the names and scopes of an account would take too much of its value. */
static bool has_too_long_texts(const account *account, const grant *added) {
	void *mark = tally_mark();
	tally_out out = tally_out_new(1024);
	tally_put_string(&out, added->name);
	uint32_t bytes = added->scope.len;
	for (uint32_t i = 0; i < account->len; i++) {
		tally_put_string(&out, account->grants[i]->name);
		bytes += account->grants[i]->scope.len;
	}
	bytes += out.len;
	tally_release(mark);
	return bytes > MOST_GRANT_TEXTS;
}

static void decide_grant(decision *made) {
	account *account = &made->account;
	tally_text reason, value;
	grant read;
	if (!read_grant_event(made, &read, &reason)) {
		refuse_uncounted(made, reason);
		return;
	}
	if (tally_get(account_key(TALLY_TEXT("grant/"), account, read.name), &value)) {
		refuse_unnamed(made, TALLY_TEXT("grant_exists"), TALLY_TEXT("grant"), read.name);
		return;
	}
	if (account->len == MOST_GRANTS || has_too_long_texts(account, &read)) {
		refuse_uncounted(made, TALLY_TEXT("grants_too_many"));
		return;
	}
	add_grant(account, &read);
	made->grant = read.name;
	made->write = WRITE_GRANT;
}

static void decide_revoke(decision *made) {
	account *account = &made->account;
	tally_text name, value;
	if (!read_id(slot_of(made, FIELD_GRANT), &name)) {
		refuse_uncounted(made, TALLY_TEXT("grant_invalid"));
		return;
	}
	grant *revoked = find_grant(account, name);
	if (revoked == 0 || revoked->revoked || is_closed(revoked, account->now)) {
		bool known = tally_get(account_key(TALLY_TEXT("grant/"), account, name), &value);
		refuse_unnamed(made, known ? TALLY_TEXT("grant_closed") : TALLY_TEXT("grant_unknown"), TALLY_TEXT("grant"), name);
		return;
	}
	revoke_grant(account, revoked);
	made->write = WRITE_ACCOUNT;
}

/* ---- Reservations ---- */

/* Reads the amount, refusing what is none. */
static bool read_event_amount(decision *made, tally_decimal *amount) {
	tally_text reason;
	if (read_amount(slot_of(made, FIELD_AMOUNT), TALLY_TEXT("amount"), amount, &reason))
		return true;
	refuse_uncounted(made, reason);
	return false;
}

static bool read_reservation_id(decision *made, tally_text *name) {
	if (read_id(slot_of(made, FIELD_RESERVATION), name))
		return true;
	refuse_uncounted(made, TALLY_TEXT("reservation_invalid"));
	return false;
}

static void refuse_too_many(decision *made) {
	tally_out out = begin_answer(TALLY_TEXT("reservations_too_many"));
	put_integer(&out, TALLY_TEXT("limit"), MOST_RESERVATIONS);
	tally_put_char(&out, '}');
	add_reason(&made->reasons, TALLY_TEXT("reservations_too_many"));
	if (made->status == TALLY_ADMITTED)
		made->retry_after = tally_floor_divide(made->account.lapses - made->account.now, MICROSECONDS) + 1;
	refuse_event(made, TALLY_TOO_MANY_REQUESTS, tally_out_text(&out));
}

static bool decide_reserve(decision *made) {
	account *account = &made->account;
	reservation *read = &made->reservation;
	found_reservation found;
	int64_t ttl = made->config->credits.ttl;
	*read = (reservation){.sequence = made->event->sequence, .at = account->now};
	if (!read_reservation_id(made, &read->name) || !read_event_amount(made, &read->amount) || !read_scope(made, &read->scope))
		return true;
	if (!read_whole(slot_of(made, FIELD_TTL), 1, MOST_TTL_SECONDS, &ttl)) {
		refuse_uncounted(made, TALLY_TEXT("ttl_invalid"));
		return true;
	}
	read->lapses = account->now + ttl * MICROSECONDS;
	if (!find_reservation(account, read->name, &found))
		return false;
	if (found.exists) {
		refuse_unnamed(made, TALLY_TEXT("reservation_exists"), TALLY_TEXT("reservation"), read->name);
		return true;
	}
	if (account->open >= MOST_RESERVATIONS || account->holds >= MOST_HOLDS) {
		refuse_too_many(made);
		return true;
	}
	judge_amount(made, read->scope, &read->amount, false);
	reserve(account, read);
	made->write = WRITE_RESERVATION;
	return true;
}

/* Says that there is no open reservation of a name. */
static void refuse_closed(decision *made, const found_reservation *found, tally_text name) {
	tally_out out = begin_answer(found->exists ? TALLY_TEXT("reservation_closed") : TALLY_TEXT("reservation_unknown"));
	put_name(&out, TALLY_TEXT("reservation"));
	put_json_value(&out, name);
	if (found->exists)
		put_text(&out, TALLY_TEXT("closed"), found->how);
	tally_put_char(&out, '}');
	refuse_event(made, TALLY_CONFLICT, tally_out_text(&out));
}

/* Uses what a reservation holds, and deals with what is above it. */
static void settle_open(decision *made, const tally_decimal *amount) {
	const credits_config *credits = &made->config->credits;
	account *account = &made->account;
	const reservation *open = &made->reservation;
	tally_decimal above = *amount;
	subtract(&above, &open->amount);
	charge_reservation(account, open, lesser(amount, &open->amount));
	made->how = TALLY_TEXT("settled");
	made->write = WRITE_CLOSED;
	if (!is_positive(&above))
		return;
	if (credits->over == OVER_CAP) {
		tally_add(&account->uncharged, &above);
		return;
	}
	if (credits->over == OVER_REFUSE) {
		tally_out out = begin_answer(TALLY_TEXT("over_reservation"));
		put_name(&out, TALLY_TEXT("reservation"));
		put_json_value(&out, open->name);
		put_amount(&out, TALLY_TEXT("reserved"), &open->amount);
		put_amount(&out, TALLY_TEXT("amount"), amount);
		tally_put_char(&out, '}');
		refuse_event(made, TALLY_CONFLICT, tally_out_text(&out));
	}
	judge_amount(made, open->scope, &above, true);
	burn(account, open->scope, &above, TALLY_TEXT("settle"));
}

static bool decide_settle(decision *made) {
	account *account = &made->account;
	found_reservation found;
	tally_decimal amount;
	tally_text name, scope;
	if (!read_reservation_id(made, &name) || !read_event_amount(made, &amount))
		return true;
	if (!find_reservation(account, name, &found))
		return false;
	if (found.is_open) {
		made->reservation = found.open;
		settle_open(made, &amount);
		return true;
	}
	refuse_closed(made, &found, name);
	if (tally_is_zero(&amount) || !read_scope(made, &scope))
		return true;
	judge_amount(made, scope, &amount, true); /* in the log it is usage like any other */
	burn(account, scope, &amount, TALLY_TEXT("settle"));
	made->write = WRITE_ACCOUNT;
	return true;
}

static bool decide_release(decision *made) {
	found_reservation found;
	tally_text name;
	if (!read_reservation_id(made, &name))
		return true;
	if (!find_reservation(&made->account, name, &found))
		return false;
	if (!found.is_open) {
		refuse_closed(made, &found, name);
		add_reason(&made->reasons, found.exists ? TALLY_TEXT("reservation_closed") : TALLY_TEXT("reservation_unknown"));
		return true;
	}
	made->reservation = found.open;
	release(&made->account, &found.open);
	made->how = TALLY_TEXT("released");
	made->write = WRITE_CLOSED;
	return true;
}

/* ---- The whole ---- */

bool decide_credits(decision *made) {
	const credits_config *credits = &made->config->credits;
	const tally_event *event = made->event;
	event_kind kind = kind_of(made->config, event);
	tally_out place = tally_out_new(64);
	group_fault fault;
	if (kind == EVENT_USAGE && (!is_of_type(&credits->types, event) || !meets_conditions(&credits->conditions, event)))
		return true;
	made->concerned = true;
	if (!put_groups(&place, &credits->groups, event, MOST_GROUP_BYTES, &fault)) {
		refuse_uncounted(made, fault.reason);
		return true;
	}
	if (!load_account(made->config, tally_out_text(&place), event->recorded_at, event->sequence, &made->account))
		return false;
	switch (kind) {
	case EVENT_GRANT:
		decide_grant(made);
		return true;
	case EVENT_REVOKE:
		decide_revoke(made);
		return true;
	case EVENT_RESERVE:
		return decide_reserve(made);
	case EVENT_SETTLE:
		return decide_settle(made);
	case EVENT_RELEASE:
		return decide_release(made);
	default:
		decide_usage(made);
		return true;
	}
}
