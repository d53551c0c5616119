/* Reading events and writing texts. */

#include "quota.h"

/* ---- Events ---- */

event_kind kind_of(const configuration *config, const tally_event *event) {
	if (!config->has_credits || event->slot[config->type].kind != TALLY_STRING)
		return EVENT_USAGE;
	for (uint32_t kind = 0; kind < EVENT_USAGE; kind++)
		if (tally_equal(event->slot[config->type].text, config->credits.kinds[kind]))
			return (event_kind)kind;
	return EVENT_USAGE;
}

bool read_amount(const tally_slot *slot, tally_text field, tally_decimal *amount, tally_text *reason) {
	tally_text fault = TALLY_TEXT("negative");
	if (tally_count(slot, amount) && !amount->negative)
		return true;
	if (tally_is_none(slot))
		fault = TALLY_TEXT("missing");
	else if (!amount->negative)
		fault = tally_uncounted(slot);
	*reason = join(field, TALLY_TEXT("_"), fault, TALLY_TEXT(""));
	return false;
}

void add_reason(reasons *found, tally_text reason) {
	tally_reasons *list = &found->list;
	for (uint32_t i = 0; i < list->n; i++)
		if (tally_equal(list->reason[i], reason))
			return;
	if (list->n < TALLY_MOST_REASONS)
		tally_add_reason(list, TALLY_TEXT(""), reason);
}

/* ---- Decimals ---- */

bool read_total(tally_text text, tally_decimal *total) {
	static const tally_text around[2];
	return tally_parse_totals(text, around, total, 1);
}

void subtract(tally_decimal *from, const tally_decimal *number) {
	tally_decimal negated = *number;
	if (tally_is_zero(number))
		return;
	negated.negative = !number->negative;
	tally_add(from, &negated);
}

bool is_positive(const tally_decimal *number) {
	return !number->negative && !tally_is_zero(number);
}

const tally_decimal *lesser(const tally_decimal *a, const tally_decimal *b) {
	return tally_compare(a, b) < 0 ? a : b;
}

/* ---- Writing ---- */

tally_text join(tally_text a, tally_text b, tally_text c, tally_text d) {
	tally_out out = tally_out_new(a.len + b.len + c.len + d.len);
	tally_put(&out, a);
	tally_put(&out, b);
	tally_put(&out, c);
	tally_put(&out, d);
	return tally_out_text(&out);
}

void put_name(tally_out *out, tally_text name) {
	char last = out->len > 0 ? out->at[out->len - 1] : '{';
	if (last != '{' && last != '[')
		tally_put_char(out, ',');
	tally_put_char(out, '"');
	tally_put(out, name); /* of this view's own */
	tally_put(out, TALLY_TEXT("\":"));
}

void put_text(tally_out *out, tally_text name, tally_text value) {
	put_name(out, name);
	tally_put_exact_string(out, value);
}

void put_amount(tally_out *out, tally_text name, const tally_decimal *n) {
	put_name(out, name);
	tally_put_char(out, '"');
	tally_put_decimal(out, n);
	tally_put_char(out, '"');
}

void put_integer(tally_out *out, tally_text name, int64_t n) {
	put_name(out, name);
	if (n < 0)
		tally_put_char(out, '-');
	tally_put_padded(out, n < 0 ? (uint64_t)-n : (uint64_t)n, 1);
}

void put_moment(tally_out *out, tally_text name, int64_t microseconds) {
	enum { FRACTION_DIGITS = 6 };
	int64_t second = tally_floor_divide(microseconds, MICROSECONDS);
	put_name(out, name);
	if (!is_countable(second)) {
		tally_put(out, TALLY_TEXT("null"));
		return;
	}
	tally_put_char(out, '"');
	put_utc(out, second);
	if (microseconds != second * MICROSECONDS) {
		out->len--; /* the Z */
		tally_put_char(out, '.');
		tally_put_padded(out, (uint64_t)(microseconds - second * MICROSECONDS), FRACTION_DIGITS);
		while (out->at[out->len - 1] == '0')
			out->len--;
		tally_put_char(out, 'Z');
	}
	tally_put_char(out, '"');
}

void put_group(tally_out *out, tally_text name, const group_list *groups, tally_text values) {
	tally_text value;
	if (groups->len == 0)
		return;
	put_name(out, name);
	tally_put_char(out, '{');
	for (uint32_t i = 0; i < groups->len && take_value(&values, &value); i++) {
		put_name(out, groups->at[i].name);
		put_json_value(out, value);
	}
	tally_put_char(out, '}');
}

bool read_integer(tally_text text, int64_t *n) {
	enum { MOST_DIGITS = 18 };
	int64_t read = 0;
	uint32_t digit;
	bool negative = tally_take_char(&text, '-');
	if (text.len == 0 || text.len > MOST_DIGITS)
		return false;
	for (; text.len > 0; read = read * 10 + digit)
		if (!tally_take_digits(&text, 1, &digit))
			return false;
	*n = negative ? -read : read;
	return true;
}
