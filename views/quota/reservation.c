/* Reservations as they stand in the state: by their names, and in the order in
 * which they run out. */

#include "reservation.h"

/* ---- Values ---- */

static bool read_hold(tally_text source, hold *read) {
	tally_text text;
	tally_members triple = tally_array(source);
	return tally_element_next(&triple, &text) && read_integer(text, &read->grant) && tally_element_next(&triple, &text) &&
	       (read_integer(text, &read->until) || tally_equal(text, TALLY_TEXT("null"))) && tally_element_next(&triple, &text) &&
	       read_total(text, &read->amount);
}

static bool read_holds(tally_text source, reservation *read) {
	tally_text element;
	uint32_t n = 0;
	tally_members elements = tally_array(source);
	while (tally_element_next(&elements, &element))
		n++;
	read->holds = tally_room((n + 1) * (uint32_t)sizeof *read->holds);
	elements = tally_array(source);
	while (tally_element_next(&elements, &element)) {
		hold *next = &read->holds[read->len++];
		next->until = NEVER;
		if (!read_hold(element, next))
			return false;
	}
	return !elements.broken;
}

static bool read_reservation_member(tally_text name, tally_text source, reservation *read) {
	if (tally_equal(name, TALLY_TEXT("reservation")))
		return tally_string(source, &read->name);
	if (tally_equal(name, TALLY_TEXT("scope")))
		return tally_string(source, &read->scope);
	if (tally_equal(name, TALLY_TEXT("sequence")))
		return read_integer(source, &read->sequence);
	if (tally_equal(name, TALLY_TEXT("at")))
		return read_integer(source, &read->at);
	if (tally_equal(name, TALLY_TEXT("lapses")))
		return read_integer(source, &read->lapses);
	if (tally_equal(name, TALLY_TEXT("amount")))
		return read_total(source, &read->amount);
	if (tally_equal(name, TALLY_TEXT("overdrawn")))
		return read_total(source, &read->overdrawn);
	if (tally_equal(name, TALLY_TEXT("holds")))
		return read_holds(source, read);
	return true;
}

bool read_reservation(tally_text source, reservation *read) {
	tally_text name, value;
	*read = (reservation){.sequence = 0};
	tally_members members = tally_object(source);
	while (tally_member_next(&members, &name, &value))
		if (!read_reservation_member(name, value, read))
			return false;
	return !members.broken;
}

static void put_reservation(tally_out *out, const reservation *reservation) {
	tally_put_char(out, '{');
	put_name(out, TALLY_TEXT("reservation"));
	tally_put_string(out, reservation->name);
	put_integer(out, TALLY_TEXT("sequence"), reservation->sequence);
	put_integer(out, TALLY_TEXT("at"), reservation->at);
	put_integer(out, TALLY_TEXT("lapses"), reservation->lapses);
	put_name(out, TALLY_TEXT("scope"));
	tally_put_string(out, reservation->scope);
	put_name(out, TALLY_TEXT("amount"));
	tally_put_decimal(out, &reservation->amount);
	put_name(out, TALLY_TEXT("overdrawn"));
	tally_put_decimal(out, &reservation->overdrawn);
	put_name(out, TALLY_TEXT("holds"));
	tally_put_char(out, '[');
	for (uint32_t i = 0; i < reservation->len; i++) {
		const hold *hold = &reservation->holds[i];
		tally_put(out, i > 0 ? TALLY_TEXT(",[") : TALLY_TEXT("["));
		tally_put_padded(out, (uint64_t)hold->grant, 1);
		tally_put_char(out, ',');
		if (hold->until == NEVER)
			tally_put(out, TALLY_TEXT("null"));
		else
			tally_put_padded(out, (uint64_t)hold->until, 1);
		tally_put_char(out, ',');
		tally_put_decimal(out, &hold->amount);
		tally_put_char(out, ']');
	}
	tally_put(out, TALLY_TEXT("]}"));
}

/* ---- State ---- */

bool find_reservation(const account *account, tally_text name, found_reservation *found) {
	tally_text value, member, source;
	*found = (found_reservation){.how = TALLY_TEXT("ran_out")};
	if (!tally_get(account_key(TALLY_TEXT("reservation/"), account, name), &value))
		return true;
	found->exists = true;
	tally_members members = tally_object(value);
	while (tally_member_next(&members, &member, &source)) {
		if (tally_equal(member, TALLY_TEXT("closed")))
			tally_string(source, &found->how);
		int64_t lapses;
		if (!tally_equal(member, TALLY_TEXT("lapses")) || !read_integer(source, &lapses) || lapses <= account->now)
			continue;
		tally_text key = time_key(TALLY_TEXT("lapse/"), account, lapses, name);
		if (!tally_get(key, &value) || !read_reservation(value, &found->open))
			return tally_fail_totals(key) != TALLY_FAILED;
		found->open.key = key;
		found->is_open = true;
	}
	return true;
}

void store_reservation(account *account, const reservation *made) {
	tally_out value = tally_out_new(256), name = tally_out_new(64);
	put_reservation(&value, made);
	tally_set(time_key(TALLY_TEXT("lapse/"), account, made->lapses, made->name), tally_out_text(&value));
	tally_put_char(&name, '{');
	put_integer(&name, TALLY_TEXT("lapses"), made->lapses);
	tally_put_char(&name, '}');
	tally_set(account_key(TALLY_TEXT("reservation/"), account, made->name), tally_out_text(&name));
	account->open++;
	if (made->lapses < account->lapses)
		account->lapses = made->lapses;
}

void close_reservation(account *account, const reservation *closed, tally_text how) {
	tally_delete(closed->key);
	store_closed(account, closed->name, how);
	account->open--;
}
