/* The kit for views in C, which the ready views use, too. It hides the ABI
 * (docs/abi.md).
 *
 * A view defines view_fields, view_fold and view_query. The kit exports them
 * to the server, allocates memory that lives until the call returns, and has
 * texts, exact decimals, JSON, times and query parameters. There is no libc. */

#ifndef TALLY_H
#define TALLY_H

#include <stdbool.h>
#include <stdint.h>

/* ---- Texts: a pointer and a length, never zero-terminated ---- */

typedef struct {
	const char *at;
	uint32_t len;
} tally_text;

#define TALLY_TEXT(literal) ((tally_text)TALLY_STATIC_TEXT(literal))
#define TALLY_STATIC_TEXT(literal) {(literal), sizeof(literal) - 1} /* for initialisers */

bool tally_equal(tally_text a, tally_text b);
bool tally_less(tally_text a, tally_text b); /* in byte order */
bool tally_is_utf8(tally_text text);

/* ---- The event, in the server's layout ---- */

enum {
	TALLY_MISSING,
	TALLY_NULL,
	TALLY_FALSE,
	TALLY_TRUE,
	TALLY_NUMBER,
	TALLY_STRING,
	TALLY_ARRAY,
	TALLY_OBJECT,
};

/* One requested field. A string's text is unescaped UTF-8, any other kind's
 * text is the event's own bytes; count from the text, the double is rounded. */
typedef struct {
	uint32_t kind;
	tally_text text;
	uint32_t reserved;
	double number;
} tally_slot;

/* Times are microseconds since 1970-01-01T00:00:00Z. */
typedef struct {
	int64_t sequence;
	int64_t time;
	int64_t recorded_at;
	tally_text data;
	uint32_t slots;
	uint32_t result; /* set by the kit, for an event of a batch */
	tally_slot slot[];
} tally_event;

/* Whether a slot is missing or null: there is nothing to count. */
static inline bool tally_is_none(const tally_slot *slot) {
	return slot->kind == TALLY_MISSING || slot->kind == TALLY_NULL;
}

_Static_assert(sizeof(tally_slot) == 24, "docs/abi.md fixes a slot at 24 bytes");
_Static_assert(sizeof(tally_event) == 40, "docs/abi.md fixes the header at 40 bytes");

/* ---- What a view defines ---- */

enum {
	TALLY_APPLIED = 0,
	TALLY_IGNORED = 1,
	TALLY_FAILED = -1,
};

/* Returns tally_answer of the fields as JSON Pointers, one per line, or
 * tally_fail for a bad configuration, which refuses the deploy. */
int64_t view_fields(void);

/* Returns TALLY_APPLIED, TALLY_IGNORED, or tally_fail, which halts the view:
 * never do that for the contents of an event. */
int32_t view_fold(const tally_event *event);

/* Returns tally_answer of JSON, or tally_fail, which refuses the query. */
int64_t view_query(tally_text query);

/* The result of view_fields or view_query. */
int64_t tally_answer(tally_text text);

/* Sets the type of an answer that is not JSON: text/csv or text/plain, in
 * UTF-8. Only view_query may call it. */
void tally_content_type(tally_text type);

/* ---- A guard, for a view that decides on events before they are appended ---- */

enum {
	TALLY_ADMITTED = 0,
	TALLY_PAYMENT_REQUIRED = 402, /* the statuses with which an event may be refused, those of HTTP */
	TALLY_FORBIDDEN = 403,
	TALLY_CONFLICT = 409,
	TALLY_TOO_MANY_REQUESTS = 429,
	TALLY_GUARD_ANSWER_BYTES = 4096,
};

/* TALLY_GUARD(view_guard) at file level exports the guard. It is given an event as view_fold is, with the sequence and the
 * time of recording that it would get, and the state of all events before it. It returns one of the above, or
 * tally_fail, which halts the view. It may read state, and must not write any; nothing of it may change a fold. */
#define TALLY_GUARD(guard) \
	__attribute__((export_name("tally_guard"))) int32_t tally_guard(const tally_event *event) { return tally_run_guard(event, guard); }

int32_t tally_run_guard(const tally_event *event, int32_t (*guard)(const tally_event *event));

/* Sets what the client is told beside a refusal, or as a mark of an event that is admitted: a JSON object of at most
 * TALLY_GUARD_ANSWER_BYTES. Only a guard may call it, the last call counts. */
void tally_guard_answer(tally_text json);

/* Sets when an event that is refused as one too many may be sent again: in so many seconds, 1 to 31,622,400; others are made
 * the nearest of these. Only a guard may call it. */
void tally_retry_after(int64_t seconds);

/* Sets the reason of an error, and returns TALLY_FAILED. The server shows the
 * first 1,024 bytes. */
int32_t tally_fail(tally_text reason);

/* ---- Memory: lives until the fold, query or fields call returns ---- */

/* n bytes, aligned to 8; traps when the server's 64 MiB are used up. */
void *tally_room(uint32_t n);

/* tally_release frees all that was allocated since tally_mark returned this
 * mark. */
void *tally_mark(void);
void tally_release(void *mark);

/* How many bytes tally_room can still allocate. */
uint32_t tally_room_left(void);

/* Keeps all that was allocated so far for as long as the instance's memory
 * lives. The server may reset that before any batch of events, so keep only
 * what can be derived again, such as the parsed configuration. */
void tally_keep(void);

/* ---- State ---- */

/* A key has 1 to 1,024 bytes of UTF-8 without NUL; another one traps. */
enum { TALLY_KEY_BYTES = 1024 };

/* False if there is no such key. */
bool tally_get(tally_text key, tally_text *value);
void tally_set(tally_text key, tally_text value); /* at most 64 KiB of JSON */
void tally_delete(tally_text key);
tally_text tally_config(void);

/* Walks the keys that start with prefix and are greater than after, in byte
 * order, reading `page` of them from the server at a time:
 *     tally_scan scan = {.prefix = prefix, .page = 100};
 *     while (tally_scan_next(&scan, &key, &value)) ... */
typedef struct {
	tally_text prefix;
	tally_text after;
	uint32_t page;
	bool frugal; /* a page reuses the memory of the one before: keys and values are valid until the next call */
	tally_text rest;
	tally_text room;
} tally_scan;

bool tally_scan_next(tally_scan *scan, tally_text *key, tally_text *value);

/* Skips all keys up to `after`, which must not change until the next call of
 * tally_scan_next has returned. It cannot go back. */
void tally_scan_seek(tally_scan *scan, tally_text after);

/* ---- Writing text: a buffer that grows ---- */

typedef struct {
	char *at;
	uint32_t len;
	uint32_t room;
} tally_out;

tally_out tally_out_new(uint32_t room);
tally_text tally_out_text(const tally_out *out);
void tally_put(tally_out *out, tally_text text);
void tally_put_char(tally_out *out, char c);

/* A JSON string: quoted and escaped. The text must be UTF-8. A NUL is written
 * as U+FFFD, because PostgreSQL's JSON operators fail on NUL: in state it would
 * break every SQL query over it. */
void tally_put_string(tally_out *out, tally_text text);

/* The same with NUL as \u0000: for answers, which are not stored. */
void tally_put_exact_string(tally_out *out, tally_text text);

/* n in at least `digits` decimal digits, at most 20. */
void tally_put_padded(tally_out *out, uint64_t n, uint32_t digits);

/* For error texts: quoted, cut to a few words, safe for any bytes. */
void tally_put_shown(tally_out *out, tally_text text);

/* tally_fail(before + "shown" + after). */
int32_t tally_fail_shown(tally_text before, tally_text shown, tally_text after);

/* ---- Exact decimals: 90 digits before the point and 54 after it ---- */

enum {
	TALLY_LIMB_DIGITS = 18,
	TALLY_LIMBS = 8,
	TALLY_FRACTION_LIMBS = 3,
	TALLY_UNITS = TALLY_FRACTION_LIMBS, /* the limb of the whole numbers under 10^18 */
	TALLY_WHOLE_DIGITS = (TALLY_LIMBS - TALLY_FRACTION_LIMBS) * TALLY_LIMB_DIGITS,
	TALLY_FRACTION_DIGITS = TALLY_FRACTION_LIMBS * TALLY_LIMB_DIGITS,

	/* The digits of a number from an event or a configuration: enough for 128
	 * bits, and for money in units of 10^-18. The product of two is exact, and
	 * 10^45 of the largest can be added before the sum overflows: no log gets
	 * there. */
	TALLY_INPUT_WHOLE_DIGITS = 45,
	TALLY_INPUT_FRACTION_DIGITS = 27,
};

/* Little-endian limbs of base 10^18, the first TALLY_FRACTION_LIMBS of them
 * after the point. Set are limb[TALLY_UNITS] and so many `below` and `above`
 * it, for nearly every number has one or two; the others are 0 and not
 * written. Zero is never negative. */
typedef struct {
	bool negative;
	uint8_t below;
	uint8_t above;
	uint8_t reserved; /* 0 */
	uint64_t limb[TALLY_LIMBS];
} tally_decimal;

void tally_set_decimal(tally_decimal *number, uint32_t n);

/* The magnitude of n must be below 10^18. */
void tally_set_integer(tally_decimal *number, int64_t n);

/* Reads text as a JSON number, exponents included. False if it is not one, or
 * has a digit other than 0 beyond those of an input number; *number is then
 * zero. */
bool tally_parse_input(tally_text text, tally_decimal *number);

/* Whether text is a JSON number, of any size. */
bool tally_is_number(tally_text text);

/* tally_parse_input of a slot that is a number, or a string that reads as
 * one. */
bool tally_count(const tally_slot *slot, tally_decimal *number);

/* False on overflow; *sum is then unspecified. */
bool tally_add(tally_decimal *sum, const tally_decimal *number);

/* The exact product of two input numbers. */
void tally_multiply(tally_decimal *product, const tally_decimal *a, const tally_decimal *b);

bool tally_is_zero(const tally_decimal *number);

/* Negative, 0 or positive, as a is less than b, equal or greater. */
int tally_compare(const tally_decimal *a, const tally_decimal *b);

/* *number / by, rounded to TALLY_INPUT_FRACTION_DIGITS places after the point,
 * half to even. The number must be a sum of input numbers, by from 1 to
 * 10^18. */
void tally_divide(tally_decimal *quotient, const tally_decimal *number, uint64_t by);

/* The shortest plain form: 0, -12, 0.5, 1482000; no exponent. */
void tally_put_decimal(tally_out *out, const tally_decimal *number);

/* ---- Totals: state values that are decimals in a fixed frame ---- */

/* `around` are the n + 1 texts before, between and after n decimals:
 * {"a": 1 ,"b": 2 }. A value is read back only in the frame that it was written
 * in, which is fast, and all that a view finds in its own state. */

/* Reads the totals of a key, zeros if there is no such key. False if the value
 * is not what tally_store_totals writes: return tally_fail_totals then. */
bool tally_load_totals(tally_text key, const tally_text *around, tally_decimal *totals, uint32_t n);
bool tally_parse_totals(tally_text value, const tally_text *around, tally_decimal *totals, uint32_t n);
void tally_store_totals(tally_text key, const tally_text *around, const tally_decimal *totals, uint32_t n);
int32_t tally_fail_totals(tally_text key);

/* The result of a fold in which tally_add returned false. */
int32_t tally_fail_overflow(tally_text key);

/* ---- What is left out of totals, counted by reason ---- */

/* A view counts what it leaves out, so that no answer is too low without a
 * trace: under a key like "uncounted/2025-03/gpt-4" it stores
 *     {"tokens_in_not_a_number":2,"last_sequence":17}
 * with the reasons in the order of their first events, and the sequence of the
 * last event. A reason has the letters a to z and _. */

enum { TALLY_MOST_REASONS = 8 }; /* of one event; another one traps */

typedef struct {
	uint32_t n;
	tally_text reason[TALLY_MOST_REASONS];
} tally_reasons;

/* Why tally_count returned false for a slot: not_a_number or
 * has_too_many_digits. Empty if it is missing or null: nothing is left out. */
tally_text tally_uncounted(const tally_slot *slot);

/* Why a slot cannot be a name of up to `most_bytes` in a key: not_text (an
 * array or an object), too_long or has_nul. Empty if it can be. */
tally_text tally_name_fault(const tally_slot *slot, uint32_t most_bytes);

/* Adds the reason <field>_<fault>, or <fault> if the field is empty; nothing if
 * the fault is empty. */
void tally_add_reason(tally_reasons *reasons, tally_text field, tally_text fault);

/* Counts each of the reasons once. Return its result from view_fold:
 * TALLY_APPLIED, or TALLY_FAILED if the key has a value of another form. */
int32_t tally_note_uncounted(tally_text key, int64_t sequence, const tally_reasons *reasons);

/* The sum of the counts in a value of tally_note_uncounted. False if it is not
 * one: return tally_fail_totals then. */
bool tally_sum_uncounted(tally_text value, uint64_t *sum);

/* Writes totals, which are an object, with "uncounted":n as its last member. */
void tally_put_uncounted(tally_out *out, tally_text totals, uint64_t n);

/* ---- Reading JSON ---- */

/* Walks the members of an object: names and values are source text.
 *     tally_members members = tally_object(json);
 *     while (tally_member_next(&members, &name, &value)) ...
 *     if (members.broken) ...   json was not one object */
typedef struct {
	const char *at;
	const char *end;
	bool first;
	bool broken;
} tally_members;

tally_members tally_object(tally_text json);
bool tally_member_next(tally_members *members, tally_text *name, tally_text *value);

/* Walks the elements of an array in the same way. */
tally_members tally_array(tally_text json);
bool tally_element_next(tally_members *elements, tally_text *value);

/* The value of a string's source text, quotes included; false if the text
 * is not a string. A lone surrogate becomes U+FFFD. */
bool tally_string(tally_text source, tally_text *value);

/* ---- Times ---- */

/* Days since 1970-01-01 and back, in the proleptic Gregorian calendar. */
typedef struct {
	int64_t year;
	uint32_t month;
	uint32_t day;
} tally_date;

tally_date tally_date_of(int64_t days);
int64_t tally_days_of(tally_date date);

int64_t tally_floor_divide(int64_t n, int64_t by);

/* Takes exactly `digits` decimal digits from the front of *text. */
bool tally_take_digits(tally_text *text, uint32_t digits, uint32_t *n);
bool tally_take_char(tally_text *text, char c);

/* RFC 3339 to microseconds. A space is read as +, for offsets in query strings
 * that are not escaped. A leap second, 23:59:60 UTC in any offset, is the
 * second that follows it, as in POSIX time. */
bool tally_parse_time(tally_text text, int64_t *time);

/* ---- Query strings ---- */

/* Takes the next name=value from the front of *query, percent-decoded. */
bool tally_take_parameter(tally_text *query, tally_text *name, tally_text *value);

/* Whether the rest of the query has a parameter of this name, so that the one
 * just taken is repeated. Refuse that with tally_fail_repeated, unless all of
 * them count. */
bool tally_has_parameter(tally_text query, tally_text name);
int32_t tally_fail_repeated(tally_text name);

#endif
