/* Reading the events of credits. */

#include "decision.h"

const tally_slot *slot_of(const decision *made, credit_field field) {
	return &made->event->slot[made->config->credits.field[field]];
}

bool read_id(const tally_slot *slot, tally_text *name) {
	tally_out out = tally_out_new(64);
	if (tally_is_none(slot) || put_value(&out, slot) != VALUE_GOOD || out.len == 0 || out.len > MOST_ID_BYTES)
		return false;
	*name = tally_out_text(&out);
	return true;
}

bool read_scope(decision *made, tally_text *scope) {
	tally_out out = tally_out_new(64);
	int32_t field = made->config->credits.scope;
	if (field == NO_FIELD)
		put_no_value(&out);
	else if (put_value(&out, &made->event->slot[field]) != VALUE_GOOD || out.len > MOST_ID_BYTES) {
		refuse_uncounted(made, TALLY_TEXT("scope_invalid"));
		return false;
	}
	*scope = tally_out_text(&out);
	return true;
}

/* The slot of a value within a list. */
static bool slot_from(tally_text source, tally_slot *slot) {
	*slot = (tally_slot){.kind = TALLY_NUMBER, .text = source};
	switch (source.at[0]) {
	case '"':
		slot->kind = TALLY_STRING;
		return tally_string(source, &slot->text);
	case 't':
		slot->kind = TALLY_TRUE;
		return true;
	case 'f':
		slot->kind = TALLY_FALSE;
		return true;
	case 'n':
	case '[':
	case '{':
		return false;
	default:
		return true;
	}
}

static bool put_scope(tally_out *out, const tally_slot *slot) {
	tally_text one;
	if (!read_id(slot, &one))
		return false;
	if (out->at[out->len - 1] != '[')
		tally_put_char(out, ',');
	tally_put_string(out, one);
	return true;
}

/* Reads what a grant is for: a value, or a list of some; none: everything. */
static bool read_scopes(const tally_slot *slot, tally_text *scopes) {
	tally_out out = tally_out_new(128);
	tally_text element;
	tally_slot one;
	uint32_t n = 0;
	*scopes = (tally_text){0};
	if (tally_is_none(slot))
		return true;
	tally_put_char(&out, '[');
	if (slot->kind == TALLY_ARRAY) {
		tally_members list = tally_array(slot->text);
		for (; tally_element_next(&list, &element); n++)
			if (n == MOST_SCOPES || !slot_from(element, &one) || !put_scope(&out, &one))
				return false;
		if (n == 0)
			return false;
	} else if (!put_scope(&out, slot)) {
		return false;
	}
	tally_put_char(&out, ']');
	*scopes = tally_out_text(&out);
	return true;
}

bool read_whole(const tally_slot *slot, int64_t least, int64_t most, int64_t *n) {
	int64_t read;
	if (tally_is_none(slot))
		return true;
	if ((slot->kind != TALLY_NUMBER && slot->kind != TALLY_STRING) || !read_integer(slot->text, &read) || read < least || read > most)
		return false;
	*n = read;
	return true;
}

static bool read_time(const tally_slot *slot, int64_t *time) {
	int64_t read;
	if (tally_is_none(slot))
		return true;
	if (slot->kind != TALLY_STRING || !tally_parse_time(slot->text, &read) || !is_countable(tally_floor_divide(read, MICROSECONDS)))
		return false;
	*time = read;
	return true;
}

static bool read_recurring(const tally_slot *slot, grant *read) {
	if (tally_is_none(slot))
		return true;
	read->recurs = true;
	return slot->kind == TALLY_STRING && span_of(slot->text, &read->span) && read->span >= SPAN_DAY;
}

bool read_grant_event(decision *made, grant *read, tally_text *reason) {
	tally_slot sequence = {.kind = TALLY_NUMBER};
	tally_out out = tally_out_new(32);
	tally_put_padded(&out, (uint64_t)made->event->sequence, 1);
	sequence.text = tally_out_text(&out);
	*read = (grant){
		.sequence = made->event->sequence, .priority = DEFAULT_PRIORITY, .effective = made->event->recorded_at, .expires = NEVER,
	};
	if (!read_amount(slot_of(made, FIELD_AMOUNT), TALLY_TEXT("amount"), &read->amount, reason))
		return false;
	read->left = read->amount;
	const tally_slot *name = slot_of(made, FIELD_GRANT);
	if (!read_id(tally_is_none(name) ? &sequence : name, &read->name))
		*reason = TALLY_TEXT("grant_invalid");
	else if (!read_whole(slot_of(made, FIELD_PRIORITY), 0, MOST_PRIORITY, &read->priority))
		*reason = TALLY_TEXT("priority_invalid");
	else if (!read_time(slot_of(made, FIELD_EFFECTIVE), &read->effective))
		*reason = TALLY_TEXT("effective_invalid");
	else if (!read_time(slot_of(made, FIELD_EXPIRES), &read->expires) || read->expires <= read->effective)
		*reason = TALLY_TEXT("expires_invalid");
	else if (!read_scopes(slot_of(made, FIELD_SCOPE), &read->scope))
		*reason = TALLY_TEXT("scope_invalid");
	else if (!read_recurring(slot_of(made, FIELD_RECURRING), read))
		*reason = TALLY_TEXT("recurring_invalid");
	else
		return true;
	return false;
}
