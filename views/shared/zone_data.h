/* The tables that tools/zones.py writes. Times are seconds since 1970 UTC,
 * offsets seconds east of UTC; an offset is told by its place in zone_offsets. */

#ifndef SHARED_ZONE_DATA_H
#define SHARED_ZONE_DATA_H

#include <stdint.h>

enum {
	ZONE_NAME_ROOM = 34,  /* the longest name and its zero */
	ZONE_NO_RULE = 255,
	ZONE_CHANGES = 2,     /* of a rule, each year */
	ZONE_LAST_WEEK = 5,   /* the last one of a month, be it the fourth or the fifth */
};

/* A change of the clocks: on the week-th such day of the month (0 is Sunday),
 * `seconds` after that day's midnight UTC. */
typedef struct {
	uint8_t month;
	uint8_t week;
	uint8_t day;
	uint8_t offset_after;
	int32_t seconds;
} zone_change;

/* What goes on every year after a zone's last transition. */
typedef struct {
	zone_change change[ZONE_CHANGES];
} zone_rule;

typedef struct {
	uint16_t first; /* of its transitions in zone_transitions */
	uint16_t len;
	uint8_t first_offset; /* before them */
	uint8_t rule;
} zone_entry;

typedef struct {
	char name[ZONE_NAME_ROOM];
	uint16_t entry;
} zone_name;

extern const char zone_data_version[];
extern const uint32_t zone_names_len;
extern const zone_name zone_names[]; /* in byte order */
extern const int32_t zone_offsets[];
extern const uint32_t zone_transitions[];
extern const uint8_t zone_transition_offsets[];
extern const zone_rule zone_rules[];
extern const zone_entry zone_entries[];

#endif
