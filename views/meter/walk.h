/* Walking one family of the state's keys over a stretch of time, group by group. */

#ifndef METER_WALK_H
#define METER_WALK_H

#include "key.h"

typedef struct {
	tally_text *at;
	uint32_t len;
} text_list;

/* What is found at a key. All of it is valid until the next call. */
typedef struct {
	tally_text group; /* its values, each with / after it */
	int64_t part;
	tally_text rest;
	tally_text value;
} finding;

/* An upper bound of what a query costs, in units of gas. */
typedef struct {
	int64_t used;
	int64_t limit;
} effort;

static inline bool is_spent(const effort *effort) {
	return effort->used >= effort->limit;
}

typedef struct {
	tally_text family;
	uint32_t groups; /* values in a group */
	int64_t from;    /* parts that start before it are passed over */
	int64_t to;      /* and those that do not start before it */
	const text_list *starts;
	uint32_t start; /* the next of them */
	tally_scan scan;
	uint32_t page;    /* keys to read next */
	tally_out prefix; /* of the scan */
	tally_out group;  /* of the last key */
	tally_out target; /* where to go on */
	tally_out passed; /* the last group that was skipped, or whose parts before from were */
	bool held;        /* last is to be found again */
	finding last;
	bool ended;     /* no key is left */
	bool broken;    /* a key was not what this view writes */
	bool exhausted; /* the effort is spent */
	tally_text key;
	effort *effort;
} walk;

/* A walk over the keys that start with family + one of starts, which are the
 * first of the groups' values, each with / after it; in byte order, and none
 * starts with another. Once it is made it needs no more room. */
walk walk_new(tally_text family, const text_list *starts, uint32_t groups, int64_t from, int64_t to, effort *effort);

/* False if nothing is left, where it is broken, and where it is exhausted: what
 * was found is then next to be passed over. */
bool walk_next(walk *walk, finding *found);

/* Makes the next call find the last one again. */
void walk_hold(walk *walk, const finding *found);

/* Finds the next of the groups that start with scope; passes over those before
 * it, and leaves those behind it. */
bool walk_next_in(walk *walk, tally_text scope, finding *found);

/* Continues with the group after the one just found. */
void walk_skip_group(walk *walk, tally_text group);

/* Continues with the first group that starts with scope, or after all that do. */
void walk_to(walk *walk, tally_text scope);
void walk_past(walk *walk, tally_text scope);

#endif
