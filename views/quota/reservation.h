/* Reservations: what is kept of one for usage whose amount is not known yet. */

#ifndef QUOTA_RESERVATION_H
#define QUOTA_RESERVATION_H

#include "account.h"

typedef struct {
	bool exists; /* there is or was one of the name */
	bool is_open;
	reservation open;
	tally_text how; /* one that is not open came to its end: settled, released or ran_out */
} found_reservation;

/* Looks for a reservation of an account. False if tally_fail was called. */
bool find_reservation(const account *account, tally_text name, found_reservation *found);

/* Writes a new one. */
void store_reservation(account *account, const reservation *made);

/* Writes how one has come to its end. */
void close_reservation(account *account, const reservation *closed, tally_text how);

#endif
