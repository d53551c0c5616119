/* Walking one family of the state's keys over a stretch of time, group by group. */

#ifndef METER_WALK_H
#define METER_WALK_H

#include "key.h"

typedef struct {
	tally_text family;
	uint32_t groups; /* values in a group */
	int64_t from;    /* parts that start before it are passed over */
	int64_t to;      /* and those that do not start before it */
	tally_scan scan;
	uint32_t page;    /* keys to read next */
	tally_out group;  /* of the last key */
	tally_out target; /* where to go on */
	bool broken;      /* a key was not what this view writes */
	tally_text key;
} walk;

/* What is found at a key. All of it is good until the next call. */
typedef struct {
	tally_text group; /* its values, each with / behind it */
	int64_t part;
	tally_text rest;
	tally_text value;
} finding;

/* A walk over the keys that start with family + group, where group is the first
 * of the groups' values, each with / behind it, or empty. */
walk walk_new(tally_text family, tally_text group, uint32_t groups, int64_t from, int64_t to);
bool walk_next(walk *walk, finding *found);

/* Goes on with the group after the one just found. */
void walk_skip_group(walk *walk, tally_text group);

#endif
