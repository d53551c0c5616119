/* What a view leaves out of its totals, counted by reason. */

#include "abi.h"

static const tally_text last_sequence = TALLY_STATIC_TEXT("last_sequence");

/* ---- Reasons ---- */

tally_text tally_uncounted(const tally_slot *slot) {
	if (tally_is_none(slot))
		return TALLY_TEXT("");
	if (slot->kind == TALLY_NUMBER || (slot->kind == TALLY_STRING && tally_is_number(slot->text)))
		return TALLY_TEXT("has_too_many_digits");
	return TALLY_TEXT("not_a_number");
}

tally_text tally_name_fault(const tally_slot *slot, uint32_t most_bytes) {
	if (slot->kind == TALLY_ARRAY || slot->kind == TALLY_OBJECT)
		return TALLY_TEXT("not_text");
	if (tally_is_none(slot))
		return TALLY_TEXT("");
	if (slot->text.len > most_bytes)
		return TALLY_TEXT("too_long");
	for (uint32_t i = 0; i < slot->text.len; i++)
		if (slot->text.at[i] == 0)
			return TALLY_TEXT("has_nul");
	return TALLY_TEXT("");
}

void tally_add_reason(tally_reasons *reasons, tally_text field, tally_text fault) {
	if (fault.len == 0)
		return;
	if (reasons->n == TALLY_MOST_REASONS)
		__builtin_trap();
	tally_out out = tally_out_new(field.len + 1 + fault.len);
	tally_put(&out, field);
	if (field.len > 0)
		tally_put_char(&out, '_');
	tally_put(&out, fault);
	reasons->reason[reasons->n++] = tally_out_text(&out);
}

/* ---- Counts ---- */

/* A walk over {"reason":n,...,"last_sequence":n} in the form that it is
 * written in, and in no other. */
typedef struct {
	tally_text rest;
	tally_text reason;
	uint64_t count;
	bool broken;
} walk;

static walk walk_counts(tally_text value) {
	walk counts = {.rest = value};
	counts.broken = !tally_take_char(&counts.rest, '{');
	return counts;
}

static bool take_reason(tally_text *rest, tally_text *reason) {
	if (!tally_take_char(rest, '"'))
		return false;
	*reason = (tally_text){rest->at, 0};
	while (rest->len > 0 && (*rest->at == '_' || (*rest->at >= 'a' && *rest->at <= 'z'))) {
		tally_take_char(rest, *rest->at);
		reason->len++;
	}
	return reason->len > 0 && tally_take_char(rest, '"') && tally_take_char(rest, ':');
}

static bool take_count(tally_text *rest, uint64_t *count) {
	const char *first = rest->at;
	for (*count = 0; rest->len > 0 && *rest->at >= '0' && *rest->at <= '9'; tally_take_char(rest, *rest->at)) {
		if (rest->at - first == TALLY_LIMB_DIGITS)
			return false;
		*count = *count * 10 + (uint64_t)(*rest->at - '0');
	}
	return rest->at > first && (*first != '0' || rest->at - first == 1);
}

/* Goes to the next reason; false if there is none, and at what is broken. */
static bool walk_next(walk *counts) {
	if (counts->broken)
		return false;
	if (take_reason(&counts->rest, &counts->reason) && take_count(&counts->rest, &counts->count)) {
		bool last = tally_equal(counts->reason, last_sequence);
		if (!last && tally_take_char(&counts->rest, ','))
			return true;
		if (last && tally_take_char(&counts->rest, '}') && counts->rest.len == 0)
			return false;
	}
	counts->broken = true;
	return false;
}

static void put_count(tally_out *out, tally_text reason, uint64_t count, char after) {
	tally_put_char(out, '"');
	tally_put(out, reason);
	tally_put(out, TALLY_TEXT("\":"));
	tally_put_padded(out, count, 1);
	tally_put_char(out, after);
}

/* Counts the reason, and says so, where it is among those that are new. */
static void raise(tally_reasons *fresh, walk *counts) {
	for (uint32_t i = 0; i < fresh->n; i++)
		if (fresh->reason[i].len > 0 && tally_equal(fresh->reason[i], counts->reason)) {
			counts->count++;
			fresh->reason[i].len = 0;
		}
}

int32_t tally_note_uncounted(tally_text key, int64_t sequence, const tally_reasons *reasons) {
	tally_text value;
	tally_reasons fresh = *reasons;
	tally_out out = tally_out_new(256);
	tally_put_char(&out, '{');
	if (tally_get(key, &value)) {
		walk counts = walk_counts(value);
		while (walk_next(&counts)) {
			raise(&fresh, &counts);
			put_count(&out, counts.reason, counts.count, ',');
		}
		if (counts.broken)
			return tally_fail_totals(key);
	}
	for (uint32_t i = 0; i < fresh.n; i++)
		if (fresh.reason[i].len > 0)
			put_count(&out, fresh.reason[i], 1, ',');
	put_count(&out, last_sequence, (uint64_t)sequence, '}');
	tally_set(key, tally_out_text(&out));
	return TALLY_APPLIED;
}

bool tally_sum_uncounted(tally_text value, uint64_t *sum) {
	walk counts = walk_counts(value);
	for (*sum = 0; walk_next(&counts);)
		*sum += counts.count;
	return !counts.broken;
}

void tally_put_uncounted(tally_out *out, tally_text totals, uint64_t n) {
	totals.len--;
	tally_put(out, totals);
	tally_put(out, TALLY_TEXT(",\"uncounted\":"));
	tally_put_padded(out, n, 1);
	tally_put_char(out, '}');
}
