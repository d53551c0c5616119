/* Reservations as they stand in the state: by their names, and in the order in
 * which they run out. */

#include "reservation.h"
#include "reader.h"

/* ---- Values ---- */

/* Reads [[<grant>,<until>,<amount>],...]. */
static void take_holds(reader *r, reservation *read) {
	expect(r, TALLY_TEXT("["));
	while (!r->broken && !take(r, TALLY_TEXT("]"))) {
		if (read->len == MOST_GRANTS) {
			r->broken = true;
			return;
		}
		hold *next = &read->holds[read->len++];
		expect(r, read->len > 1 ? TALLY_TEXT(",[") : TALLY_TEXT("["));
		next->grant = take_integer(r);
		expect(r, TALLY_TEXT(","));
		next->until = take(r, TALLY_TEXT("null")) ? NEVER : take_integer(r);
		expect(r, TALLY_TEXT(","));
		take_total(r, &next->amount);
		expect(r, TALLY_TEXT("]"));
	}
}

hold *room_for_holds(void) {
	return tally_room(MOST_GRANTS * sizeof(hold));
}

bool read_reservation(tally_text source, hold *holds, reservation *read) {
	reader r = reader_of(source);
	*read = (reservation){.holds = holds};
	expect(&r, TALLY_TEXT("{\"reservation\":"));
	read->name = take_string(&r);
	expect(&r, TALLY_TEXT(",\"sequence\":"));
	read->sequence = take_integer(&r);
	expect(&r, TALLY_TEXT(",\"at\":"));
	read->at = take_integer(&r);
	expect(&r, TALLY_TEXT(",\"lapses\":"));
	read->lapses = take_integer(&r);
	expect(&r, TALLY_TEXT(",\"scope\":"));
	read->scope = take_string(&r);
	expect(&r, TALLY_TEXT(",\"amount\":"));
	take_total(&r, &read->amount);
	expect(&r, TALLY_TEXT(",\"overdrawn\":"));
	take_total(&r, &read->overdrawn);
	expect(&r, TALLY_TEXT(",\"holds\":"));
	take_holds(&r, read);
	expect(&r, TALLY_TEXT("}"));
	return is_done(&r);
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
		if (!tally_get(key, &value) || !read_reservation(value, room_for_holds(), &found->open))
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
	account->holds += made->len;
	if (made->lapses < account->lapses)
		account->lapses = made->lapses;
}

void close_reservation(account *account, const reservation *closed, tally_text how) {
	tally_delete(closed->key);
	store_closed(account, closed->name, how);
	account->open--;
	account->holds -= closed->len;
}
