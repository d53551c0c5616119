/* Exact decimals in fixed point, and state values made of them. */

#include "tally.h"

enum { LIMB_BASE = 1000000000 };

static const uint32_t power_of_ten[TALLY_LIMB_DIGITS] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
};

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

static bool is_zero(const tally_decimal *number) {
	uint32_t bits = 0;
	for (int i = 0; i < TALLY_LIMBS; i++)
		bits |= number->limb[i];
	return bits == 0;
}

tally_decimal tally_decimal_of(uint32_t n) {
	tally_decimal number = {0};
	number.limb[TALLY_FRACTION_LIMBS] = n % LIMB_BASE;
	number.limb[TALLY_FRACTION_LIMBS + 1] = n / LIMB_BASE;
	return number;
}

/* A JSON number taken apart: the digits from `digits` to `end`, a point among
 * them perhaps, of which the first stands for 10^(whole - 1). */
typedef struct {
	const char *digits;
	const char *end;
	int32_t whole;
	bool negative;
} parts;

/* Takes the exponent from *at on and adds it to *whole. */
static bool take_exponent(const char **at, const char *end, int32_t *whole) {
	enum { EXPONENT_LIMIT = 100000000 }; /* far out of range, far from wrapping */
	const char *p = *at + 1;
	bool negative = p < end && *p == '-';
	int32_t exponent = 0;
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end || !is_digit(*p))
		return false;
	for (; p < end && is_digit(*p); p++)
		if (exponent < EXPONENT_LIMIT)
			exponent = exponent * 10 + (*p - '0');
	*whole += negative ? -exponent : exponent;
	*at = p;
	return true;
}

/* Checks text against the grammar of a JSON number. */
static bool take_apart(tally_text text, parts *number) {
	const char *p = text.at, *end = text.at + text.len;
	number->negative = p < end && *p == '-';
	if (number->negative)
		p++;
	number->digits = p;
	while (p < end && is_digit(*p))
		p++;
	number->whole = (int32_t)(p - number->digits);
	if (number->whole == 0 || (number->whole > 1 && number->digits[0] == '0'))
		return false;
	if (p < end && *p == '.') {
		const char *fraction = ++p;
		while (p < end && is_digit(*p))
			p++;
		if (p == fraction)
			return false;
	}
	number->end = p;
	if (p < end && (*p == 'e' || *p == 'E') && !take_exponent(&p, end, &number->whole))
		return false;
	return p == end;
}

static bool parse(tally_text text, int32_t whole_digits, int32_t fraction_digits, tally_decimal *out) {
	parts number;
	*out = (tally_decimal){0};
	if (!take_apart(text, &number))
		return false;
	const char *p = number.digits, *end = number.end;
	while (p < end && (*p == '0' || *p == '.'))
		if (*p++ == '0')
			number.whole--;
	if (p == end)
		return true;
	while (end[-1] == '0' || end[-1] == '.') /* a digit other than 0 is ahead */
		end--;

	int32_t place = number.whole - 1;
	if (place >= whole_digits || place < -fraction_digits)
		return false;
	uint32_t index = (uint32_t)(place + TALLY_FRACTION_DIGITS) / TALLY_LIMB_DIGITS;
	uint32_t below = (uint32_t)(place + TALLY_FRACTION_DIGITS) % TALLY_LIMB_DIGITS;
	uint32_t limb = 0;
	for (; p < end; p++) {
		if (*p == '.')
			continue;
		if (place-- < -fraction_digits) {
			*out = (tally_decimal){0};
			return false;
		}
		limb += (uint32_t)(*p - '0') * power_of_ten[below];
		out->limb[index] = limb;
		if (below-- == 0) {
			below = TALLY_LIMB_DIGITS - 1;
			index--;
			limb = 0;
		}
	}
	out->negative = number.negative;
	return true;
}

bool tally_parse_input(tally_text text, tally_decimal *number) {
	return parse(text, TALLY_INPUT_WHOLE_DIGITS, TALLY_INPUT_FRACTION_DIGITS, number);
}

bool tally_parse_sum(tally_text text, tally_decimal *number) {
	return parse(text, TALLY_WHOLE_DIGITS, TALLY_FRACTION_DIGITS, number);
}

bool tally_count(const tally_slot *slot, tally_decimal *number) {
	if (slot->kind == TALLY_NUMBER || slot->kind == TALLY_STRING)
		return tally_parse_input(slot->text, number);
	*number = (tally_decimal){0};
	return false;
}

static bool add_magnitude(tally_decimal *sum, const tally_decimal *number) {
	uint32_t carry = 0;
	for (int i = 0; i < TALLY_LIMBS; i++) {
		uint32_t limb = sum->limb[i] + number->limb[i] + carry;
		carry = limb >= LIMB_BASE;
		sum->limb[i] = carry ? limb - LIMB_BASE : limb;
	}
	return carry == 0;
}

/* sum - number by magnitude; where number is the larger one, its sign holds. */
static void subtract_magnitude(tally_decimal *sum, const tally_decimal *number) {
	uint32_t borrow = 0;
	for (int i = 0; i < TALLY_LIMBS; i++) {
		uint32_t take = number->limb[i] + borrow;
		borrow = sum->limb[i] < take;
		sum->limb[i] += (borrow ? LIMB_BASE : 0) - take;
	}
	if (borrow) {
		for (int i = 0; i < TALLY_LIMBS; i++) {
			uint32_t limb = LIMB_BASE - 1 - sum->limb[i] + borrow;
			borrow = limb == LIMB_BASE;
			sum->limb[i] = borrow ? 0 : limb;
		}
		sum->negative = number->negative;
	}
	if (is_zero(sum))
		sum->negative = false;
}

bool tally_add(tally_decimal *sum, const tally_decimal *number) {
	if (sum->negative == number->negative)
		return add_magnitude(sum, number);
	subtract_magnitude(sum, number);
	return true;
}

tally_decimal tally_multiply(const tally_decimal *a, const tally_decimal *b) {
	/* The limbs that an input number may use, and the column of their product
	 * that is the lowest limb of a decimal. */
	enum {
		FIRST = TALLY_FRACTION_LIMBS - TALLY_INPUT_FRACTION_DIGITS / TALLY_LIMB_DIGITS,
		LAST = TALLY_FRACTION_LIMBS + TALLY_INPUT_WHOLE_DIGITS / TALLY_LIMB_DIGITS - 1,
	};
	_Static_assert(2 * FIRST == TALLY_FRACTION_LIMBS, "a product's last digit must fall on the lowest limb");
	_Static_assert(2 * LAST + 1 < TALLY_LIMBS + TALLY_FRACTION_LIMBS, "a product must not pass the highest limb");
	/* Five products under 10^18 and a carry fit a column of 64 bits. */
	uint64_t column[TALLY_LIMBS] = {0};
	tally_decimal product = {0};
	for (int i = FIRST; i <= LAST; i++)
		if (a->limb[i])
			for (int j = FIRST; j <= LAST; j++)
				column[i + j - TALLY_FRACTION_LIMBS] += (uint64_t)a->limb[i] * b->limb[j];
	uint64_t carry = 0;
	for (int i = 0; i < TALLY_LIMBS; i++) {
		uint64_t sum = column[i] + carry;
		carry = sum / LIMB_BASE;
		product.limb[i] = (uint32_t)(sum % LIMB_BASE);
	}
	product.negative = a->negative != b->negative && !is_zero(&product);
	return product;
}

static void put_limb(tally_out *out, uint32_t limb) {
	char digits[TALLY_LIMB_DIGITS];
	for (int i = TALLY_LIMB_DIGITS; i-- > 0; limb /= 10)
		digits[i] = (char)('0' + limb % 10);
	tally_put(out, (tally_text){digits, TALLY_LIMB_DIGITS});
}

void tally_put_decimal(tally_out *out, const tally_decimal *number) {
	int high = TALLY_LIMBS - 1, low = 0;
	while (high > TALLY_FRACTION_LIMBS && number->limb[high] == 0)
		high--;
	if (number->negative)
		tally_put_char(out, '-');
	tally_put_padded(out, number->limb[high], 1);
	for (int i = high; i-- > TALLY_FRACTION_LIMBS; )
		put_limb(out, number->limb[i]);
	while (low < TALLY_FRACTION_LIMBS && number->limb[low] == 0)
		low++;
	if (low == TALLY_FRACTION_LIMBS)
		return;
	tally_put_char(out, '.');
	for (int i = TALLY_FRACTION_LIMBS; i-- > low; )
		put_limb(out, number->limb[i]);
	while (out->at[out->len - 1] == '0')
		out->len--;
}

/* ---- Totals ---- */

bool tally_parse_totals(tally_text value, const tally_total *names, tally_decimal *totals, uint32_t n) {
	tally_members members = tally_object(value);
	tally_text name, source;
	for (uint32_t i = 0; i < n; i++) {
		if (!tally_member_next(&members, &name, &source) || !tally_equal(name, names[i].name))
			return false;
		if (names[i].quoted && !tally_string(source, &source))
			return false;
		if (!tally_parse_sum(source, &totals[i]))
			return false;
	}
	return true;
}

bool tally_load_totals(tally_text key, const tally_total *names, tally_decimal *totals, uint32_t n) {
	tally_text value;
	if (tally_get(key, &value))
		return tally_parse_totals(value, names, totals, n);
	for (uint32_t i = 0; i < n; i++)
		totals[i] = (tally_decimal){0};
	return true;
}

void tally_store_totals(tally_text key, const tally_total *names, const tally_decimal *totals, uint32_t n) {
	tally_out out = tally_out_new(256);
	for (uint32_t i = 0; i < n; i++) {
		tally_put(&out, i == 0 ? TALLY_TEXT("{\"") : TALLY_TEXT(",\""));
		tally_put(&out, names[i].name);
		tally_put(&out, names[i].quoted ? TALLY_TEXT("\":\"") : TALLY_TEXT("\":"));
		tally_put_decimal(&out, &totals[i]);
		if (names[i].quoted)
			tally_put_char(&out, '"');
	}
	tally_put_char(&out, '}');
	tally_set(key, tally_out_text(&out));
}

int32_t tally_fail_totals(tally_text key) {
	return tally_fail_shown(TALLY_TEXT("the state of key "), key,
	                        TALLY_TEXT(" is not what this view writes; fold the log again as a new version of the view"));
}

int32_t tally_fail_overflow(tally_text key) {
	return tally_fail_shown(TALLY_TEXT("the totals of key "), key,
	                        TALLY_TEXT(" pass 54 digits before the point, which is all that this view can count"));
}
