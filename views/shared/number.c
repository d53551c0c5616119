#include "number.h"

/* Takes what of JSON's grammar is between the sign and the exponent. */
static bool take_digits(tally_text *text, tally_text *digits, int64_t *whole) {
	uint32_t digit;
	const char *start = text->at;
	bool zero = text->len > 0 && text->at[0] == '0';
	if (!tally_take_digits(text, 1, &digit))
		return false;
	while (!zero && tally_take_digits(text, 1, &digit))
		;
	*whole = text->at - start;
	if (tally_take_char(text, '.')) {
		if (!tally_take_digits(text, 1, &digit))
			return false;
		while (tally_take_digits(text, 1, &digit))
			;
	}
	*digits = (tally_text){start, (uint32_t)(text->at - start)};
	return true;
}

/* Takes the exponent behind the e. */
static bool take_exponent(tally_text *text, int64_t *exponent, bool *vast) {
	static const int64_t VAST = 1000000000000000000; /* 19 digits; twice that is still no overflow */
	uint32_t digit;
	bool negative = tally_take_char(text, '-');
	if (!negative)
		tally_take_char(text, '+');
	if (!tally_take_digits(text, 1, &digit))
		return false;
	*exponent = digit;
	while (tally_take_digits(text, 1, &digit))
		*exponent = *exponent >= VAST / 10 ? VAST : *exponent * 10 + digit;
	*vast = *exponent >= VAST;
	if (*vast)
		*exponent = 2 * VAST; /* beyond what digits can add to an exponent */
	if (negative)
		*exponent = -*exponent;
	return true;
}

bool read_number(tally_text text, number *read) {
	int64_t whole, exponent = 0;
	*read = (number){.negative = tally_take_char(&text, '-')};
	if (!take_digits(&text, &read->digits, &whole))
		return false;
	if ((tally_take_char(&text, 'e') || tally_take_char(&text, 'E')) && !take_exponent(&text, &exponent, &read->vast))
		return false;
	if (text.len > 0)
		return false;
	tally_text *digits = &read->digits;
	read->power = whole - 1 + exponent;
	while (digits->len > 0 && (digits->at[0] == '0' || digits->at[0] == '.')) {
		read->power -= digits->at[0] == '0';
		digits->at++;
		digits->len--;
	}
	while (digits->len > 0 && (digits->at[digits->len - 1] == '0' || digits->at[digits->len - 1] == '.'))
		digits->len--;
	if (digits->len == 0)
		*read = (number){.zero = true};
	return true;
}

/* The next digit, or 0 if there are no more. */
static char next_digit(tally_text *digits) {
	tally_take_char(digits, '.');
	if (digits->len == 0)
		return '0';
	digits->len--;
	return *digits->at++;
}

static int compare_magnitudes(const number *a, const number *b) {
	if (a->power != b->power)
		return a->power < b->power ? -1 : 1;
	tally_text left = a->digits, right = b->digits;
	while (left.len > 0 || right.len > 0) {
		char l = next_digit(&left), r = next_digit(&right);
		if (l != r)
			return l < r ? -1 : 1;
	}
	return 0;
}

static int sign(const number *n) {
	return n->zero ? 0 : n->negative ? -1 : 1;
}

int compare_numbers(const number *a, const number *b) {
	if (sign(a) != sign(b) || a->zero)
		return sign(a) - sign(b);
	return sign(a) * compare_magnitudes(a, b);
}

/* The text where it is the one text already, as that of nearly every number is. */
static bool is_plain(tally_text text) {
	enum { PLAIN_DIGITS = 18 };
	uint32_t digit;
	return text.len > 0 && text.len <= PLAIN_DIGITS && (text.at[0] != '0' || text.len == 1) && tally_take_digits(&text, text.len, &digit);
}

bool put_number(tally_out *out, tally_text text) {
	tally_decimal countable;
	number large;
	if (is_plain(text)) {
		tally_put(out, text);
		return true;
	}
	if (tally_parse_input(text, &countable)) {
		tally_put_decimal(out, &countable);
		return true;
	}
	if (!read_number(text, &large) || large.vast)
		return false;
	if (large.negative)
		tally_put_char(out, '-');
	tally_put_char(out, next_digit(&large.digits));
	tally_take_char(&large.digits, '.');
	if (large.digits.len > 0)
		tally_put_char(out, '.');
	while (large.digits.len > 0)
		tally_put_char(out, next_digit(&large.digits));
	tally_put_char(out, 'e');
	if (large.power < 0)
		tally_put_char(out, '-');
	tally_put_padded(out, (uint64_t)(large.power < 0 ? -large.power : large.power), 1);
	return true;
}
