/* What is asked of this view. */

#ifndef QUOTA_QUESTION_H
#define QUOTA_QUESTION_H

#include "limit.h"
#include "reservation.h"

enum {
	DEFAULT_PAGE = 100, /* rows */
	MOST_PAGE = 1000,
	MOST_READ = 20000,  /* keys for a page */
};

typedef enum {
	SHOW_BALANCE,
	SHOW_LIMITS,
	SHOW_GRANTS,
	SHOW_RESERVATIONS,
	SHOW_HISTORY,
	SHOW_UNCOUNTED,
	SHOWS,
} show;

/* A group's value as it is asked for: the ways in which it may stand in keys. */
typedef struct {
	bool given;
	tally_text as[2];
	uint32_t len;
} asked_value;

typedef struct {
	tally_text name;
	asked_value value;
} asked_group;

typedef struct {
	show show;
	int64_t at; /* microseconds */
	tally_text name;
	asked_value grant;
	asked_value scope;
	bool closed;
	uint32_t limit;
	tally_text after;
	asked_group groups[MOST_LIMITS + MOST_GROUPS];
	uint32_t groups_len;
} question;

/* False if it has called tally_fail. */
bool read_question(const configuration *config, tally_text query, question *q);

/* What was asked of a group; nothing where it was not. */
const asked_value *asked_of(const question *q, tally_text name);

/* The values of groups for which a key exists, or the first way in which they
 * may stand in keys. False if not all groups are asked for. */
bool find_place(const question *q, const group_list *groups, tally_text family, tally_text rest, tally_text *place);

/* Whether values that stand in a key are those that are asked for. */
bool matches(const question *q, const group_list *groups, tally_text values);

/* {"at":"..." */
tally_out begin_page(const question *q);

/* Ends a list of rows: with "next" where there are more. */
int64_t end_page(tally_out *out, tally_text next);

int64_t answer_limits(const configuration *config, const question *q);
int64_t answer_credits(const configuration *config, const question *q);

#endif
