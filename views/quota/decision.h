/* What an event is to the limits and the credits: guard and fold decide by the
 * same code, the guard to refuse, the fold to count. */

#ifndef QUOTA_DECISION_H
#define QUOTA_DECISION_H

#include "limit.h"
#include "reservation.h"

enum { SPARE_BYTES = 32 }; /* of an answer, for what is around marks */

/* What the fold writes besides limits and the account. */
typedef enum {
	WRITE_NOTHING,
	WRITE_ACCOUNT,
	WRITE_GRANT,       /* and the account, likewise below */
	WRITE_RESERVATION,
	WRITE_CLOSED,
} credit_write;

typedef struct {
	const configuration *config;
	const tally_event *event;
	bool concerned;    /* the event is something to limits or credits */
	int32_t status;    /* TALLY_ADMITTED, or that with which the guard refuses */
	tally_text answer; /* of a refusal */
	int64_t retry_after; /* seconds */
	tally_out marks;   /* of an admission: members of an object */
	reasons reasons;
	charge charges[MOST_LIMITS];
	uint32_t charges_len;
	credit_write write;
	account account;
	tally_text grant;        /* the name of a new one */
	reservation reservation; /* a new one, or one that ends */
	tally_text how;          /* it ends */
} decision;

/* Decides on an event. False if tally_fail was called. After a refusal the rest
 * is decided all the same: a fold counts the event. */
bool decide(const configuration *config, const tally_event *event, decision *made);

/* Refuses, unless that was done before, with an answer that begins with the reason. */
void refuse_event(decision *made, int32_t status, tally_text answer);

/* Refuses an event that cannot be counted, or not in full, and notes why. */
void refuse_uncounted(decision *made, tally_text reason);

/* {"reason":"<reason>" */
tally_out begin_answer(tally_text reason);

/* ---- Credits ---- */

const tally_slot *slot_of(const decision *made, credit_field field);

/* Reads a name, as it stands in keys; false if the slot has none. */
bool read_id(const tally_slot *slot, tally_text *name);

/* Reads what usage or a reservation is for; refuses what cannot be. */
bool read_scope(decision *made, tally_text *scope);

/* Reads a whole number, as a number or a string; what is missing leaves it as it is. */
bool read_whole(const tally_slot *slot, int64_t least, int64_t most, int64_t *n);

/* Reads a grant; false, and why, where that cannot be. */
bool read_grant_event(decision *made, grant *read, tally_text *reason);

/* The part of credits. */
bool decide_credits(decision *made);

/* Writes the members of an answer about an account's credits, for usage of a scope. */
void put_credits(tally_out *out, const account *account, tally_text scope);

tally_decimal available(const account *account, tally_text scope);

#endif
