/* Exact decimals in fixed point, and state values made of them. */

#include "abi.h"

enum { LIMB_DIGITS = TALLY_LIMB_DIGITS };

static const uint64_t LIMB_BASE = 1000000000000000000;

static const uint64_t power_of_ten[LIMB_DIGITS] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
	10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000,
	1000000000000000, 10000000000000000, 100000000000000000,
};

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

static void set_small(tally_decimal *number, uint64_t n) {
	number->small = true;
	number->negative = false;
	number->limb[TALLY_UNITS] = n;
}

void tally_set_decimal(tally_decimal *number, uint32_t n) {
	set_small(number, n);
}

static void set_zero_limbs(tally_decimal *number) {
	number->small = false;
	number->negative = false;
	for (int i = 0; i < TALLY_LIMBS; i++)
		number->limb[i] = 0;
}

/* Gives a result that was calculated in all limbs its one form. */
static void settle(tally_decimal *number, bool negative) {
	uint64_t others = 0;
	for (int i = 0; i < TALLY_LIMBS; i++)
		others |= i == TALLY_UNITS ? 0 : number->limb[i];
	number->negative = negative && (others != 0 || number->limb[TALLY_UNITS] != 0);
	number->small = others == 0 && !number->negative;
}

/* ---- Reading ---- */

/* A JSON number taken apart: the digits from `digits` to `end`, a point among
 * them perhaps, of which the first stands for 10^(whole - 1). */
typedef struct {
	const char *digits;
	const char *end;
	int32_t whole;
	bool negative;
} parts;

static const char *past_digits(const char *at, const char *end) {
	while (at < end && is_digit(*at))
		at++;
	return at;
}

/* The exponent that starts at the e at `at`; where it ends, or 0. */
static const char *take_exponent(const char *at, const char *end, int32_t *exponent) {
	enum { EXPONENT_LIMIT = 100000000 }; /* far out of range, far from wrapping */
	at++;
	bool negative = at < end && *at == '-';
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (at == end || !is_digit(*at))
		return 0;
	for (; at < end && is_digit(*at); at++)
		if (*exponent < EXPONENT_LIMIT)
			*exponent = *exponent * 10 + (*at - '0');
	if (negative)
		*exponent = -*exponent;
	return at;
}

/* Takes a number by JSON's grammar from the front of text; where it ends, or 0. */
static const char *take_apart(const char *at, const char *end, parts *number) {
	int32_t exponent = 0;
	number->negative = at < end && *at == '-';
	number->digits = at + number->negative;
	at = past_digits(number->digits, end);
	number->whole = (int32_t)(at - number->digits);
	if (number->whole == 0 || (number->whole > 1 && number->digits[0] == '0'))
		return 0;
	if (at < end && *at == '.') {
		const char *fraction = at + 1;
		at = past_digits(fraction, end);
		if (at == fraction)
			return 0;
	}
	number->end = at;
	if (at < end && (*at == 'e' || *at == 'E'))
		at = take_exponent(at, end, &exponent);
	number->whole += exponent;
	return at;
}

/* The value of a number in parts, false where a digit other than 0 is beyond
 * the digits given. */
static bool put_together(parts number, int32_t whole_digits, int32_t fraction_digits, tally_decimal *out) {
	const char *p = number.digits, *end = number.end;
	while (p < end && (*p == '0' || *p == '.'))
		if (*p++ == '0')
			number.whole--;
	if (p == end) {
		set_small(out, 0);
		return true;
	}
	while (end[-1] == '0' || end[-1] == '.') /* a digit other than 0 is ahead */
		end--;

	int32_t place = number.whole - 1;
	if (place >= whole_digits || place < -fraction_digits)
		return false;
	set_zero_limbs(out);
	uint32_t limb = (uint32_t)(place + TALLY_FRACTION_DIGITS) / LIMB_DIGITS;
	uint32_t below = (uint32_t)(place + TALLY_FRACTION_DIGITS) % LIMB_DIGITS;
	for (; p < end; p++) {
		if (*p == '.')
			continue;
		if (place-- < -fraction_digits)
			return false;
		out->limb[limb] += (uint64_t)(*p - '0') * power_of_ten[below];
		if (below-- == 0) {
			below = LIMB_DIGITS - 1;
			limb--;
		}
	}
	settle(out, number.negative);
	return true;
}

/* Takes the digits from the front, as many as a limb holds. */
static inline const char *take_limb(const char *at, const char *end, uint64_t *n) {
	const char *limb_end = end - at > LIMB_DIGITS ? at + LIMB_DIGITS : end;
	for (*n = 0; at < limb_end && is_digit(*at); at++)
		*n = *n * 10 + (uint64_t)(*at - '0');
	return at;
}

static bool ends(const char *at, const char *end) {
	return at == end || (!is_digit(*at) && *at != '.' && *at != 'e' && *at != 'E');
}

/* Takes what nearly every number is: 18 digits or fewer, and perhaps a point
 * and 18 or fewer. 0 where the number is another. */
static inline const char *take_common(const char *at, const char *end, tally_decimal *out) {
	uint64_t units, fraction;
	const char *point = take_limb(at, end, &units);
	if (point == at || (*at == '0' && point - at > 1))
		return 0;
	if (ends(point, end)) {
		set_small(out, units);
		return point;
	}
	const char *past = take_limb(point + 1, end, &fraction);
	if (*point != '.' || past == point + 1 || !ends(past, end))
		return 0;
	set_zero_limbs(out);
	out->limb[TALLY_UNITS] = units;
	out->limb[TALLY_UNITS - 1] = fraction * power_of_ten[LIMB_DIGITS - (past - point - 1)];
	settle(out, false);
	return past;
}

/* Takes a number from the front of the text between at and end; where it ends,
 * or 0 where there is none or it has digits beyond those given. *out is then
 * of no use. */
static inline const char *take_number(const char *at, const char *end, int32_t whole_digits, int32_t fraction_digits,
                                      tally_decimal *out) {
	parts number;
	const char *past = take_common(at, end, out);
	if (past != 0)
		return past;
	past = take_apart(at, end, &number);
	return past != 0 && put_together(number, whole_digits, fraction_digits, out) ? past : 0;
}

bool tally_parse_input(tally_text text, tally_decimal *number) {
	const char *end = text.at + text.len;
	if (take_number(text.at, end, TALLY_INPUT_WHOLE_DIGITS, TALLY_INPUT_FRACTION_DIGITS, number) == end)
		return true;
	set_small(number, 0);
	return false;
}

bool tally_count(const tally_slot *slot, tally_decimal *number) {
	if (slot->kind == TALLY_NUMBER || slot->kind == TALLY_STRING)
		return tally_parse_input(slot->text, number);
	set_small(number, 0);
	return false;
}

/* ---- Calculating ---- */

static bool add_magnitude(tally_decimal *sum, const tally_decimal *number) {
	uint64_t carry = 0;
	for (int i = 0; i < TALLY_LIMBS; i++) {
		uint64_t limb = tally_limb(sum, i) + tally_limb(number, i) + carry;
		carry = limb >= LIMB_BASE;
		sum->limb[i] = carry ? limb - LIMB_BASE : limb;
	}
	settle(sum, sum->negative);
	return carry == 0;
}

/* sum - number by magnitude; where number is the larger one, its sign holds. */
static void subtract_magnitude(tally_decimal *sum, const tally_decimal *number) {
	uint64_t borrow = 0;
	for (int i = 0; i < TALLY_LIMBS; i++) {
		uint64_t from = tally_limb(sum, i), take = tally_limb(number, i) + borrow;
		borrow = from < take;
		sum->limb[i] = from + (borrow ? LIMB_BASE : 0) - take;
	}
	if (!borrow) {
		settle(sum, sum->negative);
		return;
	}
	/* What is left is short of LIMB_BASE^TALLY_LIMBS: complement it. */
	for (int i = 0; i < TALLY_LIMBS; i++) {
		uint64_t limb = LIMB_BASE - 1 - sum->limb[i] + borrow;
		borrow = limb == LIMB_BASE;
		sum->limb[i] = borrow ? 0 : limb;
	}
	settle(sum, number->negative);
}

bool tally_add(tally_decimal *sum, const tally_decimal *number) {
	if (sum->small && number->small) {
		uint64_t units = sum->limb[TALLY_UNITS] + number->limb[TALLY_UNITS];
		if (units < LIMB_BASE) {
			sum->limb[TALLY_UNITS] = units;
			return true;
		}
	}
	if (sum->negative == number->negative)
		return add_magnitude(sum, number);
	subtract_magnitude(sum, number);
	return true;
}

/* Half limbs, whose products fit 64 bits. */
enum {
	HALF_DIGITS = LIMB_DIGITS / 2,
	HALF_BASE = 1000000000,
	HALVES = 2 * TALLY_LIMBS,
	FRACTION_HALVES = 2 * TALLY_FRACTION_LIMBS,

	/* The first and last half that an input number may use. */
	FIRST_HALF = FRACTION_HALVES - TALLY_INPUT_FRACTION_DIGITS / HALF_DIGITS,
	LAST_HALF = FRACTION_HALVES + TALLY_INPUT_WHOLE_DIGITS / HALF_DIGITS - 1,
	INPUT_HALVES = LAST_HALF - FIRST_HALF + 1,
};

_Static_assert(2 * FIRST_HALF == FRACTION_HALVES, "a product's last digit must fall on the lowest half limb");
_Static_assert(2 * LAST_HALF + 1 < HALVES + FRACTION_HALVES, "a product must not pass the highest half limb");

/* The halves of an input number, from FIRST_HALF on. */
static void split(const tally_decimal *number, uint64_t halves[INPUT_HALVES]) {
	for (int i = 0; i < INPUT_HALVES; i++) {
		int at = FIRST_HALF + i;
		uint64_t limb = tally_limb(number, at / 2);
		halves[i] = limb == 0 ? 0 : at % 2 ? limb / HALF_BASE : limb % HALF_BASE;
	}
}

void tally_multiply(tally_decimal *product, const tally_decimal *a, const tally_decimal *b) {
	uint64_t left[INPUT_HALVES], right[INPUT_HALVES];
	uint64_t column[HALVES] = {0}; /* eight products under 10^18 and a carry fit */
	split(a, left);
	split(b, right);
	for (int i = 0; i < INPUT_HALVES; i++)
		if (left[i] != 0)
			for (int j = 0; j < INPUT_HALVES; j++)
				column[i + j] += left[i] * right[j]; /* 2 * FIRST_HALF is column 0 */
	uint64_t carry = 0;
	for (int i = 0; i < TALLY_LIMBS; i++) {
		uint64_t low = column[2 * i] + carry;
		carry = low < HALF_BASE ? 0 : low / HALF_BASE;
		uint64_t high = column[2 * i + 1] + carry;
		low -= carry * HALF_BASE;
		carry = high < HALF_BASE ? 0 : high / HALF_BASE;
		product->limb[i] = low + (high - carry * HALF_BASE) * HALF_BASE;
	}
	settle(product, a->negative != b->negative);
}

/* ---- Writing ---- */

static void put_limb(tally_out *out, uint64_t limb) {
	tally_put_padded(out, limb, LIMB_DIGITS);
}

void tally_put_decimal(tally_out *out, const tally_decimal *number) {
	if (number->small) {
		tally_put_padded(out, number->limb[TALLY_UNITS], 1);
		return;
	}
	int high = TALLY_LIMBS - 1, low = 0;
	while (high > TALLY_UNITS && number->limb[high] == 0)
		high--;
	if (number->negative)
		tally_put_char(out, '-');
	tally_put_padded(out, number->limb[high], 1);
	for (int i = high; i-- > TALLY_UNITS;)
		put_limb(out, number->limb[i]);
	while (low < TALLY_FRACTION_LIMBS && number->limb[low] == 0)
		low++;
	if (low == TALLY_FRACTION_LIMBS)
		return;
	tally_put_char(out, '.');
	for (int i = TALLY_FRACTION_LIMBS; i-- > low;)
		put_limb(out, number->limb[i]);
	while (out->at[out->len - 1] == '0')
		out->len--;
}

/* ---- Totals ---- */

bool tally_parse_totals(tally_text value, const tally_text *around, tally_decimal *totals, uint32_t n) {
	const char *at = value.at, *end = value.at + value.len;
	for (uint32_t i = 0; i < n; i++) {
		tally_text before = around[i];
		if (end - at < (int32_t)before.len || !tally_equal(before, (tally_text){at, before.len}))
			return false;
		at = take_number(at + before.len, end, TALLY_WHOLE_DIGITS, TALLY_FRACTION_DIGITS, &totals[i]);
		if (at == 0)
			return false;
	}
	return tally_equal(around[n], (tally_text){at, (uint32_t)(end - at)});
}

bool tally_load_totals(tally_text key, const tally_text *around, tally_decimal *totals, uint32_t n) {
	tally_text value;
	if (tally_get(key, &value))
		return tally_parse_totals(value, around, totals, n);
	for (uint32_t i = 0; i < n; i++)
		set_small(&totals[i], 0);
	return true;
}

void tally_store_totals(tally_text key, const tally_text *around, const tally_decimal *totals, uint32_t n) {
	tally_out out = tally_out_new(256);
	for (uint32_t i = 0; i < n; i++) {
		tally_put(&out, around[i]);
		tally_put_decimal(&out, &totals[i]);
	}
	tally_put(&out, around[n]);
	tally_set(key, tally_out_text(&out));
}

int32_t tally_fail_totals(tally_text key) {
	return tally_fail_shown(TALLY_TEXT("the state of key "), key,
	                        TALLY_TEXT(" is not what this view writes; fold the log again as a new version of the view"));
}

int32_t tally_fail_overflow(tally_text key) {
	return tally_fail_shown(TALLY_TEXT("the totals of key "), key,
	                        TALLY_TEXT(" pass 90 digits before the point, which is all that this view can count"));
}
