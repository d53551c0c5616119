/* What configurations of views have in common: the fields that they read, types
 * of events, and conditions. */

#ifndef SHARED_FIELDS_H
#define SHARED_FIELDS_H

#include "../c/tally.h"

enum {
	MOST_FIELDS = 64, /* docs/abi.md */
	MOST_CONDITIONS = 16,
	MOST_LISTED = 256, /* values of one condition, types */
	NO_FIELD = -1,
};

/* ---- Refusing ---- */

/* Calls tally_fail(before + "shown" + after), and returns false. */
bool refuse(tally_text before, tally_text shown, tally_text after);

/* Refuses "config: <member> is <source>, <why>". */
bool refuse_member(tally_text member, tally_text source, tally_text why);

/* ---- Fields ---- */

typedef struct {
	tally_text lines; /* JSON Pointers, one per line */
	tally_text at[MOST_FIELDS]; /* each of them */
	uint32_t len;
} field_list;

/* The number of a JSON Pointer's field, which it adds to the fields. False if it
 * has called tally_fail; `member` is where the pointer was found. */
bool add_field(field_list *fields, tally_text member, tally_text source, int32_t *field);

/* ---- Types of events ---- */

typedef struct {
	tally_text *at;
	uint32_t len;
	int32_t field; /* NO_FIELD: every type */
} type_list;

bool read_types(field_list *fields, tally_text source, type_list *types);
bool is_of_type(const type_list *types, const tally_event *event);

/* ---- Conditions ---- */

typedef struct condition condition;

typedef struct {
	condition *at[MOST_CONDITIONS];
	uint32_t len;
} condition_list;

bool read_conditions(field_list *fields, tally_text source, condition_list *conditions);
bool meets_conditions(const condition_list *conditions, const tally_event *event);

#endif
