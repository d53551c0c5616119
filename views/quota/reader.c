#include "reader.h"

static bool comes(const reader *r, tally_text expected) {
	if (r->end - r->at < (int32_t)expected.len)
		return false;
	for (uint32_t i = 0; i < expected.len; i++)
		if (r->at[i] != expected.at[i])
			return false;
	return true;
}

bool take(reader *r, tally_text expected) {
	if (!comes(r, expected))
		return false;
	r->at += expected.len;
	return true;
}

void expect(reader *r, tally_text expected) {
	if (r->end - r->at >= (int32_t)expected.len && tally_equal((tally_text){r->at, expected.len}, expected))
		r->at += expected.len;
	else
		r->broken = true;
}

bool is_done(const reader *r) {
	return !r->broken && r->at == r->end;
}

int64_t take_integer(reader *r) {
	enum { MOST_DIGITS = 18 };
	int64_t n = 0;
	bool negative = r->at < r->end && *r->at == '-';
	const char *at = r->at + negative, *first = at;
	for (; at < r->end && *at >= '0' && *at <= '9' && at - first < MOST_DIGITS; at++)
		n = n * 10 + (*at - '0');
	r->broken = r->broken || at == first;
	r->at = at;
	return negative ? -n : n;
}

void take_total(reader *r, tally_decimal *total) {
	const char *at = r->at;
	while (at < r->end && *at != ',' && *at != ']' && *at != '}')
		at++;
	if (!read_total((tally_text){r->at, (uint32_t)(at - r->at)}, total))
		r->broken = true;
	r->at = at;
}

/* Past the string that begins here. */
static void skip_string(reader *r) {
	if (r->at == r->end || *r->at != '"') {
		r->broken = true;
		return;
	}
	for (r->at++; r->at < r->end && *r->at != '"'; r->at++)
		if (*r->at == '\\')
			r->at++;
	if (r->at >= r->end) {
		r->at = r->end;
		r->broken = true;
		return;
	}
	r->at++;
}

tally_text take_string(reader *r) {
	const char *start = r->at;
	tally_text text = {0};
	skip_string(r);
	if (!r->broken && !tally_string((tally_text){start, (uint32_t)(r->at - start)}, &text))
		r->broken = true;
	return text;
}

tally_text take_strings(reader *r) {
	const char *start = r->at;
	expect(r, TALLY_TEXT("["));
	while (!r->broken && !take(r, TALLY_TEXT("]"))) {
		take(r, TALLY_TEXT(","));
		skip_string(r);
	}
	return (tally_text){start, (uint32_t)(r->at - start)};
}
