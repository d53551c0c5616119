#include "sketch.h"

enum {
	BUCKETS = 117, /* of a decade */
	LOWEST_DECADE = -TALLY_INPUT_FRACTION_DIGITS,
	HIGHEST_DECADE = TALLY_INPUT_WHOLE_DIGITS - 1,
	DECADE_NAMED_0 = 50,
	MANTISSA_DIGITS = 9, /* of the bounds */
	MIDDLE_DIGITS = 6,   /* of what is answered */
};

/* 10^(i/117), times 10^8. */
static const uint32_t bounds[BUCKETS] = {
	100000000, 101987515, 104014531, 106081836, 108190228, 110340524, 112533558, 114770179, 117051253,
	119377664, 121750313, 124170118, 126638017, 129154967, 131721940, 134339933, 137009959, 139733052,
	142510267, 145342679, 148231387, 151177507, 154182182, 157246576, 160371874, 163559289, 166810054,
	170125428, 173506696, 176955167, 180472177, 184059088, 187717289, 191448198, 195253259, 199133946,
	203091762, 207128241, 211244945, 215443469, 219725440, 224092515, 228546386, 233088779, 237721453,
	242446202, 247264855, 252179281, 257191381, 262303097, 267516410, 272833338, 278255940, 283786318,
	289426612, 295179009, 301045735, 307029063, 313131311, 319354841, 325702066, 332175442, 338777477,
	345510729, 352377806, 359381366, 366524124, 373808844, 381238350, 388815518, 396543283, 404424639,
	412462638, 420660394, 429021081, 437547938, 446244267, 455113437, 464158883, 473384109, 482792688,
	492388263, 502174552, 512155345, 522334507, 532715982, 543303791, 554102033, 565114892, 576346633,
	587801607, 599484250, 611399088, 623550734, 635943896, 648583374, 661474064, 674620958, 688029149,
	701703829, 715650295, 729873950, 744380301, 759174969, 774263683, 789652287, 805346742, 821353126,
	837677640, 854326606, 871306472, 888623816, 906285345, 924297899, 942668455, 961404129, 980512177,
};

/* What is answered for a bucket from a to b, times 10^5: 2ab/(a+b), whose
 * distance to both ends is at most 0.985 % of them. */
static const uint32_t middles[BUCKETS] = {
	100984, 102991, 105038, 107126, 109255, 111426, 113641, 115899, 118203, 120552, 122948, 125392, 127884,
	130426, 133018, 135662, 138358, 141108, 143913, 146773, 149690, 152665, 155699, 158794, 161950, 165169,
	168451, 171799, 175214, 178696, 182248, 185870, 189564, 193332, 197175, 201093, 205090, 209166, 213324,
	217563, 221887, 226298, 230795, 235382, 240061, 244832, 249698, 254661, 259722, 264884, 270149, 275518,
	280994, 286579, 292275, 298084, 304008, 310050, 316212, 322497, 328907, 335444, 342111, 348910, 355845,
	362918, 370131, 377487, 384990, 392641, 400445, 408404, 416521, 424800, 433243, 441853, 450635, 459592,
	468726, 478042, 487543, 497233, 507116, 517195, 527474, 537958, 548650, 559554, 570676, 582018, 593585,
	605383, 617415, 629686, 642201, 654965, 667983, 681259, 694799, 708608, 722692, 737056, 751705, 766645,
	781882, 797422, 813271, 829435, 845920, 862733, 879880, 897368, 915203, 933393, 951944, 970864, 990160,
};

/* ---- Counting ---- */

/* Where a value belongs. */
typedef struct {
	int32_t decade; /* of its first digit; zero has none */
	uint32_t bucket;
	bool zero;
	bool negative;
} spot;

static uint32_t bucket_of(uint32_t mantissa) {
	uint32_t low = 0, high = BUCKETS;
	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;
		if (bounds[middle] <= mantissa)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The digits of a number in plain form give its decade and mantissa; what is
 * behind nine digits cannot reach the next bound. */
static spot spot_of(const tally_decimal *value) {
	tally_out plain = tally_out_new(TALLY_WHOLE_DIGITS + TALLY_FRACTION_DIGITS + 2);
	tally_put_decimal(&plain, value);
	spot found = {.negative = value->negative};
	uint32_t mantissa = 0, taken = 0;
	int32_t whole = 0;
	bool fraction = false;
	for (uint32_t i = found.negative; i < plain.len; i++) {
		char c = plain.at[i];
		if (c == '.') {
			fraction = true;
			continue;
		}
		whole += fraction ? taken == 0 && c == '0' ? -1 : 0 : taken > 0 || c != '0';
		if ((taken > 0 || c != '0') && taken < MANTISSA_DIGITS) {
			mantissa = mantissa * 10 + (uint32_t)(c - '0');
			taken++;
		}
	}
	if (taken == 0)
		return (spot){.zero = true};
	for (; taken < MANTISSA_DIGITS; taken++)
		mantissa *= 10;
	found.decade = whole - 1;
	found.bucket = bucket_of(mantissa);
	return found;
}

static tally_text name_of(spot spot) {
	if (spot.zero)
		return TALLY_TEXT("0");
	tally_out out = tally_out_new(DECADE_BYTES);
	tally_put_char(&out, spot.negative ? '-' : '+');
	tally_put_padded(&out, (uint64_t)(spot.decade + DECADE_NAMED_0), 2);
	return tally_out_text(&out);
}

/* Takes the next bucket and its count from a state value that starts after its
 * brace; false if none is left. */
static bool take_bucket(tally_text *value, uint32_t *bucket, uint64_t *count) {
	uint32_t digit;
	tally_take_char(value, ',');
	if (!tally_take_char(value, '"'))
		return false;
	*bucket = 0;
	*count = 0;
	while (tally_take_digits(value, 1, &digit))
		*bucket = *bucket * 10 + digit;
	tally_take_char(value, '"');
	tally_take_char(value, ':');
	while (tally_take_digits(value, 1, &digit))
		*count = *count * 10 + digit;
	return true;
}

static void put_bucket(tally_out *out, uint32_t bucket, uint64_t count) {
	tally_put(out, out->len == 1 ? TALLY_TEXT("\"") : TALLY_TEXT(",\""));
	tally_put_padded(out, bucket, 1);
	tally_put(out, TALLY_TEXT("\":"));
	tally_put_padded(out, count, 1);
}

bool count_in_sketch(tally_text place, const tally_decimal *value) {
	spot spot = spot_of(value);
	tally_text key = key_of(TALLY_TEXT("sketch/"), place, name_of(spot)), before;
	uint32_t bucket;
	uint64_t count, one = 1;
	if (!tally_get(key, &before))
		before = TALLY_TEXT("{}");
	tally_out out = tally_out_new(before.len + 64);
	tally_put_char(&out, '{');
	if (!tally_take_char(&before, '{'))
		return tally_fail_totals(key) != TALLY_FAILED;
	while (take_bucket(&before, &bucket, &count)) {
		if (bucket == spot.bucket) {
			count++;
			one = 0;
		} else if (bucket > spot.bucket && one > 0) {
			put_bucket(&out, spot.bucket, one);
			one = 0;
		}
		put_bucket(&out, bucket, count);
	}
	if (!tally_equal(before, TALLY_TEXT("}")))
		return tally_fail_totals(key) != TALLY_FAILED;
	if (one > 0)
		put_bucket(&out, spot.bucket, one);
	tally_put_char(&out, '}');
	tally_set(key, tally_out_text(&out));
	return true;
}

/* ---- Merging and answering ---- */

/* The counts of a decade; decades are made where one is met. */
typedef struct decade decade;

struct decade {
	decade *next;
	int32_t of; /* the power of ten */
	bool negative;
	uint64_t counts[BUCKETS];
};

struct sketch {
	uint64_t len;
	uint64_t zeros;
	decade *decades;
};

sketch *sketch_new(void) {
	sketch *made = tally_room(sizeof *made);
	*made = (sketch){0};
	return made;
}

static uint64_t *find_counts(const sketch *sketch, bool negative, int32_t of) {
	for (decade *at = sketch->decades; at != 0; at = at->next)
		if (at->of == of && at->negative == negative)
			return at->counts;
	return 0;
}

static uint64_t *counts_of(sketch *sketch, bool negative, int32_t of) {
	uint64_t *found = find_counts(sketch, negative, of);
	if (found != 0)
		return found;
	decade *added = tally_room(sizeof *added);
	*added = (decade){.next = sketch->decades, .of = of, .negative = negative};
	sketch->decades = added;
	return added->counts;
}

bool sketch_add(sketch *sum, tally_text name, tally_text value) {
	uint32_t bucket, named;
	uint64_t count, zeros[BUCKETS] = {0}, *counts = zeros;
	bool negative = tally_take_char(&name, '-');
	if (negative || tally_take_char(&name, '+')) {
		if (!tally_take_digits(&name, 2, &named))
			return false;
		counts = counts_of(sum, negative, (int32_t)named - DECADE_NAMED_0);
	}
	if (!tally_take_char(&value, '{'))
		return false;
	while (take_bucket(&value, &bucket, &count)) {
		if (bucket >= BUCKETS)
			return false;
		counts[bucket] += count;
		sum->len += count;
	}
	sum->zeros += zeros[0];
	return tally_equal(value, TALLY_TEXT("}"));
}

/* Writes what is answered for a bucket in plain form. Its places may pass those
 * of an input number: rounding them off would cost the promised distance. */
static void put_middle(tally_out *out, bool negative, int32_t decade, uint32_t bucket) {
	uint32_t digits = middles[bucket], len = MIDDLE_DIGITS;
	for (; digits % 10 == 0; len--)
		digits /= 10;
	if (negative)
		tally_put_char(out, '-');
	if (decade < 0)
		tally_put(out, TALLY_TEXT("0."));
	for (int32_t i = -1; i > decade; i--)
		tally_put_char(out, '0');
	char text[MIDDLE_DIGITS];
	tally_out plain = {text, 0, sizeof text};
	tally_put_padded(&plain, digits, len);
	for (uint32_t i = 0; i < len; i++) {
		if (decade >= 0 && i == (uint32_t)decade + 1)
			tally_put_char(out, '.');
		tally_put_char(out, text[i]);
	}
	for (int32_t i = (int32_t)len; i <= decade; i++)
		tally_put_char(out, '0');
}

/* The place of a percentile in the order of n values: 1 to n. */
static uint64_t rank_of(uint64_t n, uint32_t percentile) {
	uint64_t hundreds = n / MOST_PERCENTILE, rest = n % MOST_PERCENTILE;
	uint64_t rank = hundreds * percentile + (rest * percentile + MOST_PERCENTILE - 1) / MOST_PERCENTILE;
	return rank == 0 ? 1 : rank;
}

/* Writes what is answered for the value of a rank. */
static void put_ranked(tally_out *out, const sketch *sketch, uint64_t rank) {
	uint64_t *counts;
	for (int32_t of = HIGHEST_DECADE; of >= LOWEST_DECADE; of--)
		if ((counts = find_counts(sketch, true, of)) != 0)
			for (uint32_t i = BUCKETS; i-- > 0; rank -= counts[i])
				if (rank <= counts[i]) {
					put_middle(out, true, of, i);
					return;
				}
	if (rank <= sketch->zeros) {
		tally_put_char(out, '0');
		return;
	}
	rank -= sketch->zeros;
	for (int32_t of = LOWEST_DECADE; of <= HIGHEST_DECADE; of++)
		if ((counts = find_counts(sketch, false, of)) != 0)
			for (uint32_t i = 0; i < BUCKETS; rank -= counts[i++])
				if (rank <= counts[i]) {
					put_middle(out, false, of, i);
					return;
				}
}

void put_percentile(tally_out *out, const sketch *sketch, uint32_t percentile, const tally_decimal *min, const tally_decimal *max) {
	static const tally_text around[2]; /* nothing */
	uint64_t rank = rank_of(sketch->len, percentile);
	uint32_t start = out->len;
	tally_decimal answered;
	const tally_decimal *edge = rank == 1 ? min : rank == sketch->len ? max : 0;
	if (edge == 0) {
		put_ranked(out, sketch, rank);
		tally_parse_totals((tally_text){out->at + start, out->len - start}, around, &answered, 1);
		edge = tally_compare(&answered, min) < 0 ? min : tally_compare(&answered, max) > 0 ? max : 0;
	}
	if (edge != 0) {
		out->len = start;
		tally_put_decimal(out, edge);
	}
}
