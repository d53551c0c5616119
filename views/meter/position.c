/* Where an answer goes on, as the parameter after has it: the groups as they
 * stand in keys and the start of a window, in base64url. */

#include "key.h"
#include "query.h"

/* Takes base64url, without padding; false if it is none. */
static bool decode_base64(tally_text text, tally_out *out) {
	enum { BITS = 6, BYTE = 8 };
	uint32_t bits = 0, have = 0;
	for (uint32_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		int digit = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52
		          : c == '-' ? 62 : c == '_' ? 63 : -1;
		if (digit < 0)
			return false;
		bits = bits << BITS | (uint32_t)digit;
		have += BITS;
		if (have >= BYTE) {
			have -= BYTE;
			tally_put_char(out, (char)(bits >> have & 0xFF));
		}
	}
	return true;
}

static void encode_base64(tally_out *out, tally_text text) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	enum { BITS = 6, BYTE = 8, DIGIT = 63 };
	uint32_t bits = 0, have = 0;
	for (uint32_t i = 0; i < text.len; i++) {
		bits = bits << BYTE | (unsigned char)text.at[i];
		for (have += BYTE; have >= BITS;) {
			have -= BITS;
			tally_put_char(out, digits[bits >> have & DIGIT]);
		}
	}
	if (have > 0)
		tally_put_char(out, digits[bits << (BITS - have) & DIGIT]);
}

void put_position(tally_out *out, const position *at) {
	tally_out plain = tally_out_new(at->group.len + PART_BYTES);
	tally_put(&plain, at->group);
	if (at->timed)
		put_utc(&plain, at->start);
	encode_base64(out, tally_out_text(&plain));
}

bool read_after(const configuration *config, tally_text value, meter_query *q) {
	tally_out plain = tally_out_new(value.len);
	int64_t microseconds;
	uint32_t groups = 0;
	bool good = decode_base64(value, &plain) && tally_is_utf8(tally_out_text(&plain)) && plain.len <= PLACE_BYTES;
	tally_text group = tally_out_text(&plain);
	while (group.len > 0 && group.at[group.len - 1] != '/')
		group.len--;
	for (uint32_t i = 0; i < group.len; i++)
		groups += group.at[i] == '/';
	tally_text time = {plain.at + group.len, plain.len - group.len};
	q->after = (position){.given = true, .timed = time.len > 0, .group = group};
	if (q->after.timed) {
		good = good && time.len == PART_BYTES && tally_parse_time(time, &microseconds);
		q->after.start = good ? tally_floor_divide(microseconds, MICROSECONDS) : 0;
	}
	good = good && (groups == q->groups_len || (!q->after.timed && q->depth > 0 && groups == config->groups.len)) &&
	       (q->windowed || !q->after.timed) && plain.len > 0;
	return good || refuse_parameter(TALLY_TEXT("after"), value,
	                                TALLY_TEXT(", which is not the next of an answer to this question; leave it out for the first page"));
}

