/* The little reading of JSON that configurations and state values need. The
 * server has checked that they are JSON; here nothing is read out of bounds
 * whatever they hold. */

#include "tally.h"

static bool is_space(char c) {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(tally_members *members) {
	while (members->at < members->end && is_space(*members->at))
		members->at++;
}

static bool skip_char(tally_members *members, char c) {
	skip_space(members);
	if (members->at == members->end || *members->at != c)
		return false;
	members->at++;
	return true;
}

/* Past the closing quote of the string that starts at `at`; 0 without one. */
static const char *past_string(const char *at, const char *end) {
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		if (*at == '\\')
			at++;
	}
	return 0;
}

/* Past the value that starts at `at`; 0 if it does not end. */
static const char *past_value(const char *at, const char *end) {
	uint32_t depth = 0;
	while (at < end) {
		char c = *at;
		if (depth == 0 && (c == ',' || c == '}' || c == ']' || is_space(c)))
			return at;
		if (c == '"') {
			at = past_string(at, end);
			if (at == 0)
				return 0;
		} else {
			if (c == '{' || c == '[')
				depth++;
			if (c == '}' || c == ']')
				depth--;
			at++;
		}
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			return at;
	}
	return depth == 0 ? at : 0;
}

static tally_members open_at(tally_text json, char bracket) {
	tally_members members = {json.at, json.at + json.len, .first = true};
	members.broken = !skip_char(&members, bracket);
	return members;
}

tally_members tally_object(tally_text json) {
	return open_at(json, '{');
}

tally_members tally_array(tally_text json) {
	return open_at(json, '[');
}

static bool broken(tally_members *members) {
	members->broken = true;
	return false;
}

/* Goes past what stands before the next member or element; false if none is
 * left. */
static bool find_next(tally_members *members, char bracket) {
	if (members->broken)
		return false;
	if (skip_char(members, bracket)) {
		members->at = members->end;
		return false;
	}
	if (members->at == members->end || (!members->first && !skip_char(members, ',')))
		return broken(members);
	members->first = false;
	skip_space(members);
	return true;
}

static bool take_value(tally_members *members, tally_text *value) {
	const char *start = members->at, *past = past_value(start, members->end);
	if (past == 0 || past == start)
		return broken(members);
	*value = (tally_text){start, (uint32_t)(past - start)};
	members->at = past;
	return true;
}

bool tally_element_next(tally_members *elements, tally_text *value) {
	return find_next(elements, ']') && take_value(elements, value);
}

bool tally_member_next(tally_members *members, tally_text *name, tally_text *value) {
	if (!find_next(members, '}'))
		return false;
	if (members->at == members->end || *members->at != '"')
		return broken(members);
	const char *start = members->at;
	const char *past = past_string(start, members->end);
	if (past == 0)
		return broken(members);
	*name = (tally_text){start + 1, (uint32_t)(past - start) - 2};
	members->at = past;

	if (!skip_char(members, ':'))
		return broken(members);
	skip_space(members);
	return take_value(members, value);
}

/* ---- Strings ---- */

enum {
	REPLACEMENT = 0xFFFD,
	NO_UNIT = 0xFFFFFFFF,
};

/* The code unit of \uXXXX at `at`, or NO_UNIT. */
static uint32_t code_unit(const char *at, const char *end) {
	uint32_t unit = 0;
	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return NO_UNIT;
	for (int i = 2; i < 6; i++) {
		char c = at[i];
		uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
		               : (c | 32) >= 'a' && (c | 32) <= 'f' ? (uint32_t)((c | 32) - 'a' + 10)
		               : NO_UNIT;
		if (digit == NO_UNIT)
			return NO_UNIT;
		unit = unit << 4 | digit;
	}
	return unit;
}

static void put_rune(tally_out *out, uint32_t rune) {
	if (rune < 0x80) {
		tally_put_char(out, (char)rune);
		return;
	}
	if (rune < 0x800) {
		tally_put_char(out, (char)(0xC0 | rune >> 6));
	} else if (rune < 0x10000) {
		tally_put_char(out, (char)(0xE0 | rune >> 12));
		tally_put_char(out, (char)(0x80 | (rune >> 6 & 63)));
	} else {
		tally_put_char(out, (char)(0xF0 | rune >> 18));
		tally_put_char(out, (char)(0x80 | (rune >> 12 & 63)));
		tally_put_char(out, (char)(0x80 | (rune >> 6 & 63)));
	}
	tally_put_char(out, (char)(0x80 | (rune & 63)));
}

/* Resolves the escape at `at`; where it ends, or 0 if it is none. */
static const char *take_escape(tally_out *out, const char *at, const char *end) {
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	uint32_t unit = code_unit(at, end);
	if (unit != NO_UNIT) {
		uint32_t next = code_unit(at + 6, end);
		bool high = unit >= 0xD800 && unit < 0xDC00;
		if (high && next >= 0xDC00 && next < 0xE000) {
			put_rune(out, 0x10000 + (((unit - 0xD800) << 10) | (next - 0xDC00)));
			return at + 12;
		}
		put_rune(out, unit >= 0xD800 && unit < 0xE000 ? REPLACEMENT : unit);
		return at + 6;
	}
	for (uint32_t i = 0; i < sizeof letters - 1; i++)
		if (end - at >= 2 && at[1] == letters[i]) {
			tally_put_char(out, meanings[i]);
			return at + 2;
		}
	return 0;
}

bool tally_string(tally_text source, tally_text *value) {
	const char *at = source.at + 1, *end = source.at + source.len - 1;
	if (source.len < 2 || source.at[0] != '"' || *end != '"')
		return false;
	const char *p = at;
	while (p < end && *p != '\\')
		p++;
	if (p == end) {
		*value = (tally_text){at, source.len - 2};
		return true;
	}
	tally_out out = tally_out_new(source.len);
	while (at != 0 && at < end) {
		if (*at == '\\')
			at = take_escape(&out, at, end);
		else
			tally_put_char(&out, *at++);
	}
	*value = tally_out_text(&out);
	return at != 0;
}
