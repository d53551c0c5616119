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

/* What comes before the limbs is read and written at once. */
enum { FORM_BYTES = sizeof(uint32_t) };

static void set_small(tally_decimal *number, uint64_t n) {
	__builtin_memset(number, 0, FORM_BYTES);
	number->limb[TALLY_UNITS] = n;
}

void tally_set_decimal(tally_decimal *number, uint32_t n) {
	set_small(number, n);
}

/* Whether a number is that of its units, as nearly every count is. */
static bool is_small(const tally_decimal *number) {
	uint32_t form;
	__builtin_memcpy(&form, number, FORM_BYTES);
	return form == 0;
}

bool tally_is_zero(const tally_decimal *number) {
	return is_small(number) && number->limb[TALLY_UNITS] == 0;
}

/* Sets zeros in the limbs from low to high that are not set. */
static void widen(tally_decimal *number, int low, int high) {
	for (; tally_low(number) > low; number->limb[tally_low(number)] = 0)
		number->below++;
	for (; tally_high(number) < high; number->limb[tally_high(number)] = 0)
		number->above++;
}

/* Gives a result its one form. */
static void settle(tally_decimal *number, bool negative) {
	while (number->below > 0 && number->limb[tally_low(number)] == 0)
		number->below--;
	while (number->above > 0 && number->limb[tally_high(number)] == 0)
		number->above--;
	number->negative = false;
	number->negative = negative && !tally_is_zero(number);
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

/* The value of a number in parts, false if a digit other than 0 is beyond
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
	set_small(out, 0);
	widen(out, 0, TALLY_LIMBS - 1);
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
 * and 18 or fewer. 0 if the number is another. */
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
	set_small(out, units);
	out->below = 1;
	out->limb[TALLY_UNITS - 1] = fraction * power_of_ten[LIMB_DIGITS - (past - point - 1)];
	settle(out, false);
	return past;
}

/* Takes a number from the front of the text between at and end; where it ends,
 * or 0 if there is none or it has digits beyond those given. *out is then
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

bool tally_is_number(tally_text text) {
	parts number;
	const char *end = text.at + text.len;
	return take_apart(text.at, end, &number) == end && text.len > 0;
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
	int high = tally_high(number);
	widen(sum, tally_low(number), high);
	for (int i = tally_low(number); i <= high || carry; i++) {
		if (i == TALLY_LIMBS)
			return false;
		widen(sum, i, i);
		uint64_t limb = sum->limb[i] + (i <= high ? number->limb[i] : 0) + carry;
		carry = limb >= LIMB_BASE;
		sum->limb[i] = carry ? limb - LIMB_BASE : limb;
	}
	settle(sum, sum->negative);
	return true;
}

/* sum - number by magnitude; where number is the larger one, its sign holds. */
static void subtract_magnitude(tally_decimal *sum, const tally_decimal *number) {
	uint64_t borrow = 0;
	widen(sum, tally_low(number), tally_high(number));
	int low = tally_low(sum), high = tally_high(sum);
	for (int i = low; i <= high; i++) {
		uint64_t from = sum->limb[i], take = tally_limb(number, i) + borrow;
		borrow = from < take;
		sum->limb[i] = from + (borrow ? LIMB_BASE : 0) - take;
	}
	if (!borrow) {
		settle(sum, sum->negative);
		return;
	}
	/* What is left is short of a one above the highest limb: complement it. */
	for (int i = low; i <= high; i++) {
		uint64_t limb = LIMB_BASE - 1 - sum->limb[i] + borrow;
		borrow = limb == LIMB_BASE;
		sum->limb[i] = borrow ? 0 : limb;
	}
	settle(sum, number->negative);
}

bool tally_add(tally_decimal *sum, const tally_decimal *number) {
	if (is_small(sum) && is_small(number)) {
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
	HALF_DIGITS = TALLY_LIMB_DIGITS / 2,
	HALF_BASE = 1000000000,
	HALVES = 2 * TALLY_LIMBS,
	INPUT_HALVES = (TALLY_INPUT_WHOLE_DIGITS + TALLY_INPUT_FRACTION_DIGITS) / HALF_DIGITS,
};

_Static_assert(2 * TALLY_INPUT_FRACTION_DIGITS <= TALLY_FRACTION_DIGITS, "a product's last digit must have its place");
_Static_assert(2 * TALLY_INPUT_WHOLE_DIGITS <= TALLY_WHOLE_DIGITS, "a product's first digit must have its place");
_Static_assert(INPUT_HALVES <= 8, "the sum of a column's products must fit 64 bits");

/* The halves of an input number, as far as its limbs are set: from `from` to
 * before `end`. */
typedef struct {
	uint64_t half[HALVES];
	int from;
	int end;
} split_number;

static void split(const tally_decimal *number, split_number *parts) {
	parts->from = 2 * tally_low(number);
	parts->end = 2 * tally_high(number) + 2;
	for (int i = tally_low(number); i <= tally_high(number); i++) {
		uint64_t high = number->limb[i] / HALF_BASE;
		parts->half[2 * i] = number->limb[i] - high * HALF_BASE;
		parts->half[2 * i + 1] = high;
	}
}

/* The one limb that is not 0, or -1 where there are more. */
static int only_limb(const tally_decimal *number) {
	if (number->below == 0 && number->above == 0)
		return TALLY_UNITS;
	return number->below == 1 && number->above == 0 && number->limb[TALLY_UNITS] == 0 ? TALLY_UNITS - 1 : -1;
}

/* Calculates what nearly every product is: some tokens times some cents, one
 * limb by one, in one. False if the product is another. */
static inline bool multiply_common(tally_decimal *product, const tally_decimal *a, const tally_decimal *b) {
	int left = only_limb(a), right = only_limb(b), limb = left + right - TALLY_UNITS;
	if (left < 0 || right < 0)
		return false;
	uint64_t n = a->limb[left], by = b->limb[right];
	if (n != 0 && by > (LIMB_BASE - 1) / n)
		return false;
	bool negative = a->negative != b->negative;
	set_small(product, 0); /* which may be a or b */
	widen(product, limb, limb);
	product->limb[limb] = n * by;
	settle(product, negative);
	return true;
}

void tally_multiply(tally_decimal *product, const tally_decimal *a, const tally_decimal *b) {
	split_number left, right;
	if (multiply_common(product, a, b))
		return;
	uint64_t column[2 * HALVES], carry = 0; /* eight products under 10^18 and a carry fit */
	bool negative = a->negative != b->negative;
	split(a, &left);
	split(b, &right);
	int from = left.from + right.from, end = left.end + right.end;
	for (int i = from; i < end; i++)
		column[i] = 0;
	for (int i = left.from; i < left.end; i++)
		if (left.half[i] != 0)
			for (int j = right.from; j < right.end; j++)
				column[i + j] += left.half[i] * right.half[j];
	set_small(product, 0); /* which may be a or b */
	for (int i = from; i < end; i += 2) {
		int limb = i / 2 - TALLY_FRACTION_LIMBS;
		if (limb < 0 || limb >= TALLY_LIMBS)
			continue; /* nothing: the input numbers do not use all of their limbs */
		uint64_t low = column[i] + carry;
		carry = low < HALF_BASE ? 0 : low / HALF_BASE;
		uint64_t high = column[i + 1] + carry;
		low -= carry * HALF_BASE;
		carry = high < HALF_BASE ? 0 : high / HALF_BASE;
		widen(product, limb, limb);
		product->limb[limb] = low + (high - carry * HALF_BASE) * HALF_BASE;
	}
	settle(product, negative);
}

/* ---- Writing ---- */

static void put_limb(tally_out *out, uint64_t limb) {
	tally_put_padded(out, limb, LIMB_DIGITS);
}

void tally_put_decimal(tally_out *out, const tally_decimal *number) {
	if (is_small(number)) {
		tally_put_padded(out, number->limb[TALLY_UNITS], 1);
		return;
	}
	if (number->negative)
		tally_put_char(out, '-');
	tally_put_padded(out, number->limb[tally_high(number)], 1);
	for (int i = tally_high(number); i-- > TALLY_UNITS;)
		put_limb(out, number->limb[i]);
	if (number->below == 0)
		return;
	tally_put_char(out, '.');
	for (int i = TALLY_UNITS; i-- > tally_low(number);)
		put_limb(out, number->limb[i]);
	while (out->at[out->len - 1] == '0')
		out->len--;
}

/* ---- Totals ---- */

bool tally_parse_totals(tally_text value, const tally_text *around, tally_decimal *totals, uint32_t n) {
	const char *at = value.at, *end = value.at + value.len;
	for (uint32_t i = 0; i < n; i++) {
		tally_text before = around[i];
		if (end - at < (int32_t)before.len || !tally_equal_inline(before, (tally_text){at, before.len}))
			return false;
		at = take_number(at + before.len, end, TALLY_WHOLE_DIGITS, TALLY_FRACTION_DIGITS, &totals[i]);
		if (at == 0)
			return false;
	}
	return tally_equal_inline(around[n], (tally_text){at, (uint32_t)(end - at)});
}

bool tally_read_totals(tally_text key, const tally_text *around, tally_decimal *totals, uint32_t n) {
	tally_text value;
	if (tally_read(key, &value))
		return tally_parse_totals(value, around, totals, n);
	for (uint32_t i = 0; i < n; i++)
		set_small(&totals[i], 0);
	return true;
}

void tally_write_totals(tally_text key, const tally_text *around, const tally_decimal *totals, uint32_t n) {
	tally_out out = tally_out_new(256);
	for (uint32_t i = 0; i < n; i++) {
		tally_put(&out, around[i]);
		tally_put_decimal(&out, &totals[i]);
	}
	tally_put(&out, around[n]);
	tally_write(key, tally_out_text(&out));
}

/* Copies what is set, which is little. */
static inline void copy_totals(tally_decimal *to, const tally_decimal *from, uint32_t n) {
	for (uint32_t i = 0; i < n; i++) {
		__builtin_memcpy(&to[i], &from[i], FORM_BYTES);
		for (int limb = tally_low(&from[i]); limb <= tally_high(&from[i]); limb++)
			to[i].limb[limb] = from[i].limb[limb];
	}
}

bool tally_load_totals(tally_text key, const tally_text *around, tally_decimal *totals, uint32_t n) {
	bool broken = false;
	const tally_decimal *held = tally_batch.on ? tally_batch_load(key, around, n, &broken) : 0;
	if (held == 0)
		return !broken && tally_read_totals(key, around, totals, n);
	copy_totals(totals, held, n);
	return true;
}

void tally_store_totals(tally_text key, const tally_text *around, const tally_decimal *totals, uint32_t n) {
	tally_decimal *held = tally_batch.on ? tally_batch_store(key, around, n) : 0;
	if (held == 0)
		tally_write_totals(key, around, totals, n);
	else
		copy_totals(held, totals, n);
}

int32_t tally_fail_totals(tally_text key) {
	return tally_fail_shown(TALLY_TEXT("the state of key "), key,
	                        TALLY_TEXT(" is not what this view writes; fold the log again as a new version of the view"));
}

int32_t tally_fail_overflow(tally_text key) {
	return tally_fail_shown(TALLY_TEXT("the totals of key "), key,
	                        TALLY_TEXT(" pass 90 digits before the point, which is all that this view can count"));
}
