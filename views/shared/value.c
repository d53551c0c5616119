#include "value.h"
#include "number.h"

static bool stands_for_itself(char c) {
	return c != '/' && c != '~' && c != 0;
}

/* Whether one of a word's bytes does not stand for itself. */
static bool has_mark(uint64_t word) {
	const uint64_t every = 0x0101010101010101, top = 0x80 * every;
	uint64_t slash = word ^ '/' * every, tilde = word ^ '~' * every;
	return (((word - every) & ~word) | ((slash - every) & ~slash) | ((tilde - every) & ~tilde)) & top;
}

/* Whether all of a text stands for itself, as nearly every name does; by words, of which the last two may overlap. */
static bool is_plain(tally_text text) {
	uint64_t word = 0;
	if (text.len < sizeof word) {
		for (uint32_t i = 0; i < text.len; i++)
			if (!stands_for_itself(text.at[i]))
				return false;
		return true;
	}
	for (uint32_t i = 0; i + sizeof word < text.len; i += sizeof word) {
		__builtin_memcpy(&word, text.at + i, sizeof word);
		if (has_mark(word))
			return false;
	}
	__builtin_memcpy(&word, text.at + text.len - sizeof word, sizeof word);
	return !has_mark(word);
}

void put_string_value(tally_out *out, tally_text text) {
	uint32_t plain = 0;
	if (is_plain(text)) {
		tally_put(out, text);
		return;
	}
	while (plain < text.len && stands_for_itself(text.at[plain]))
		plain++;
	tally_put(out, (tally_text){text.at, plain});
	for (uint32_t i = plain; i < text.len; i++) {
		char c = text.at[i];
		if (!stands_for_itself(c)) {
			tally_put_char(out, '~');
			c = c == '~' ? '0' : c == '/' ? '1' : '2';
		}
		tally_put_char(out, c);
	}
}

bool put_number_value(tally_out *out, tally_text text) {
	uint32_t start = out->len;
	tally_put(out, TALLY_TEXT("~n"));
	if (put_number(out, text))
		return true;
	out->len = start;
	return false;
}

void put_no_value(tally_out *out) {
	tally_put_char(out, '~');
}

value_fault put_value(tally_out *out, const tally_slot *slot) {
	switch (slot->kind) {
	case TALLY_STRING:
		put_string_value(out, slot->text);
		return VALUE_GOOD;
	case TALLY_NUMBER:
		return put_number_value(out, slot->text) ? VALUE_GOOD : VALUE_VAST;
	case TALLY_TRUE:
		tally_put(out, TALLY_TEXT("~t"));
		return VALUE_GOOD;
	case TALLY_FALSE:
		tally_put(out, TALLY_TEXT("~f"));
		return VALUE_GOOD;
	case TALLY_ARRAY:
	case TALLY_OBJECT:
		return VALUE_NOT_TEXT;
	default:
		put_no_value(out);
		return VALUE_GOOD;
	}
}

static tally_text string_of(tally_text encoded) {
	tally_out out = tally_out_new(encoded.len);
	for (uint32_t i = 0; i < encoded.len; i++) {
		char c = encoded.at[i];
		if (c == '~' && i + 1 < encoded.len) {
			i++;
			c = encoded.at[i] == '0' ? '~' : encoded.at[i] == '1' ? '/' : 0;
		}
		tally_put_char(&out, c);
	}
	return tally_out_text(&out);
}

group_value value_of(tally_text encoded) {
	char mark = encoded.len > 1 && encoded.at[0] == '~' ? encoded.at[1] : 0;
	if (tally_equal(encoded, TALLY_TEXT("~")))
		return (group_value){.kind = TALLY_NULL};
	if (mark == 'n')
		return (group_value){TALLY_NUMBER, {encoded.at + 2, encoded.len - 2}};
	if (mark == 't' || mark == 'f')
		return (group_value){.kind = mark == 't' ? TALLY_TRUE : TALLY_FALSE};
	return (group_value){TALLY_STRING, string_of(encoded)};
}

bool take_value(tally_text *group, tally_text *encoded) {
	*encoded = (tally_text){group->at, 0};
	while (encoded->len < group->len && group->at[encoded->len] != '/')
		encoded->len++;
	if (encoded->len == group->len)
		return false;
	group->at += encoded->len + 1;
	group->len -= encoded->len + 1;
	return true;
}

/* ---- In answers ---- */

/* A number that readers which make a double of it would round is told as text. */
static void put_json_number(tally_out *out, tally_text text) {
	enum { DOUBLE_DIGITS = 15 };
	tally_decimal countable;
	uint32_t digits = 0;
	for (uint32_t i = 0; i < text.len; i++)
		digits += text.at[i] >= '0' && text.at[i] <= '9';
	bool exact = digits <= DOUBLE_DIGITS && tally_parse_input(text, &countable);
	if (!exact)
		tally_put(out, TALLY_TEXT("{\"number\":\""));
	tally_put(out, text);
	if (!exact)
		tally_put(out, TALLY_TEXT("\"}"));
}

void put_json_value(tally_out *out, tally_text encoded) {
	group_value value = value_of(encoded);
	switch (value.kind) {
	case TALLY_STRING:
		tally_put_exact_string(out, value.text);
		break;
	case TALLY_NUMBER:
		put_json_number(out, value.text);
		break;
	default:
		tally_put(out, value.kind == TALLY_TRUE    ? TALLY_TEXT("true")
		               : value.kind == TALLY_FALSE ? TALLY_TEXT("false")
		                                           : TALLY_TEXT("null"));
	}
}
