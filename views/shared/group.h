/* Groups: "group_by" is an object of names and JSON Pointers. */

#ifndef SHARED_GROUP_H
#define SHARED_GROUP_H

#include "fields.h"
#include "value.h"

enum {
	MOST_GROUPS = 8,      /* group_by members */
	MOST_NAME_BYTES = 64, /* of one */
};

typedef struct {
	tally_text name;
	int32_t field;
} group;

typedef struct {
	group at[MOST_GROUPS];
	uint32_t len;
} group_list;

/* Whether a name has 1 to 64 letters, digits, _, - and . */
bool is_name(tally_text name);

/* Names that are taken are refused; `why` ends the sentence "a name has ... and". */
bool read_groups(field_list *fields, tally_text source, bool (*is_taken)(tally_text name), tally_text why, group_list *groups);

/* Why an event belongs to no group. */
typedef struct {
	tally_text reason;
	int32_t field;
} group_fault;

/* Writes an event's values, each with / after it, as long as they have no more
 * than `most` bytes together. False, and why, where they cannot be written. */
bool put_groups(tally_out *out, const group_list *groups, const tally_event *event, uint32_t most, group_fault *fault);

#endif
