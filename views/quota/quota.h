/* quota: limits per window, credits and reservations, decided before an event
 * is appended. docs/quota.md is its reference. What the files of this view
 * share: the configuration, and how an event is read.
 *
 * State    "limit/<limit>/<group>"                  what is used of a limit, see limit.h
 *          "seen/<limit>/<group>=<value>"           until when a unique value counts
 *          "account/<account>"                      credits: open grants and what is overdrawn, see account.h
 *          "grant/<account><grant>"                 each grant's name: a closed one's end, or 1 while it is open
 *          "history/<account><grant>/<place>"       what became of a grant, the last changes
 *          "reservation/<account><reservation>"     each reservation's name: open until when, or how it was closed
 *          "lapse/<account><time>/<reservation>"    open reservations in the order in which they run out
 *          "forget/<account><time>/<reservation>"   names of closed ones, in the order in which they are forgotten
 *          "uncounted"                              events that were not counted, or not in full, by reason
 *          "clock"                                  the last event that was counted
 *
 * <group> and <account> are the values of group_by, each with / after it. */

#ifndef QUOTA_H
#define QUOTA_H

#include "../shared/group.h"
#include "../shared/window.h"

enum {
	MOST_LIMITS = 16,
	MOST_GROUP_BYTES = 250,     /* of the values of group_by together, as they stand in keys */
	MOST_ID_BYTES = 128,        /* of a grant's or reservation's name and of a scope, as they stand in keys */
	MOST_SCOPES = 16,           /* of a grant */
	MOST_GRANTS = 64,           /* open ones of an account, whose value has at most 64 KiB with them */
	MOST_GRANT_TEXTS = 16000,   /* bytes of their names and scopes */
	MOST_RESERVATIONS = 1000,   /* open ones of an account */
	MOST_HOLDS = 2000,          /* what all of these hold of single grants */
	MOST_HISTORY = 1000,        /* changes that are kept of a grant */
	MOST_PRIORITY = 1000,
	DEFAULT_PRIORITY = 100,
	DEFAULT_HISTORY = 100,
	DEFAULT_TTL_SECONDS = 600,
	MOST_TTL_SECONDS = 31622400, /* 366 days */
	DEFAULT_REMEMBER_SECONDS = 7 * DAY_SECONDS,
};

static const int64_t NEVER = (int64_t)1 << 60; /* microseconds, or seconds: beyond every time */

/* ---- Configuration ---- */

typedef enum {
	MEASURE_COUNT,
	MEASURE_SUM,
	MEASURE_UNIQUE,
	MEASURES,
} measure;

extern const tally_text measure_names[MEASURES];

typedef struct {
	tally_text name;
	type_list types; /* none: what is not an event of credits */
	condition_list conditions;
	measure measure;
	int32_t value; /* fields, or NO_FIELD */
	group_list groups;
	grid windows;
	tally_text zone_name;
	bool rolling;
	tally_decimal most;
	bool soft;
} limit;

/* What becomes of an amount over that of its reservation. */
typedef enum {
	OVER_CHARGE,
	OVER_CAP,
	OVER_REFUSE,
	OVERS,
} over_policy;

/* The events that concern credits alone; all others are usage. */
typedef enum {
	EVENT_GRANT,
	EVENT_REVOKE,
	EVENT_RESERVE,
	EVENT_SETTLE,
	EVENT_RELEASE,
	EVENT_USAGE,
} event_kind;

/* Their fields. */
typedef enum {
	FIELD_AMOUNT,
	FIELD_GRANT,
	FIELD_PRIORITY,
	FIELD_EFFECTIVE,
	FIELD_EXPIRES,
	FIELD_SCOPE,
	FIELD_RECURRING,
	FIELD_RESERVATION,
	FIELD_TTL,
	CREDIT_FIELDS,
} credit_field;

typedef struct {
	type_list types;
	condition_list conditions;
	int32_t value;
	int32_t scope; /* of usage and reservations, or NO_FIELD */
	group_list groups;
	const zone_entry *zone; /* of recurring grants */
	tally_text zone_name;
	tally_decimal overdraft;
	bool soft;
	over_policy over;
	int64_t ttl;      /* seconds */
	int64_t remember; /* seconds */
	uint32_t history;
	int32_t field[CREDIT_FIELDS];
	tally_text kinds[EVENT_USAGE]; /* the types of the events of credits */
} credits_config;

typedef struct {
	field_list fields;
	int32_t type; /* the field, or NO_FIELD */
	limit limits[MOST_LIMITS];
	uint32_t limits_len;
	bool has_credits;
	credits_config credits;
} configuration;

/* Reads the configuration once for as long as the instance's memory lives. 0 if
 * it has called tally_fail. */
const configuration *load_configuration(void);

/* ---- Events ---- */

event_kind kind_of(const configuration *config, const tally_event *event);

/* Reads a number that is to be added; false, and why, where that cannot be. */
bool read_amount(const tally_slot *slot, tally_text field, tally_decimal *amount, tally_text *reason);

/* Why an event was not counted, or not in full: each reason once. */
typedef struct {
	tally_reasons list;
} reasons;

void add_reason(reasons *found, tally_text reason);

/* ---- Decimals ---- */

/* Reads a sum, as tally_put_decimal writes it. */
bool read_total(tally_text text, tally_decimal *total);

void subtract(tally_decimal *from, const tally_decimal *number);
bool is_positive(const tally_decimal *number);
const tally_decimal *lesser(const tally_decimal *a, const tally_decimal *b);

/* ---- Writing ---- */

/* The beginning of a member of an object, with a comma where it is not the first. */
void put_name(tally_out *out, tally_text name);

void put_text(tally_out *out, tally_text name, tally_text value);       /* "name":"value" */
void put_amount(tally_out *out, tally_text name, const tally_decimal *n); /* "name":"12.5" */
void put_integer(tally_out *out, tally_text name, int64_t n);           /* "name":12 */
void put_moment(tally_out *out, tally_text name, int64_t microseconds); /* "name":"2025-03-01T10:05:30.25Z", null for NEVER */

/* Writes "name":{"model":"gpt-4"}; nothing where there are no groups. */
void put_group(tally_out *out, tally_text name, const group_list *groups, tally_text values);

/* Joins texts into one. */
tally_text join(tally_text a, tally_text b, tally_text c, tally_text d);

/* Reads an integer; false, and nothing, if text is none that has up to 18 digits. */
bool read_integer(tally_text text, int64_t *n);

#endif
