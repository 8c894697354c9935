/* SPDX-License-Identifier: Apache-2.0 */
/* All connections there can be, made once at the start: an accept never allocates. Beside the
 * places that [limits] connections counts there are a few more, for saying `busy` to those who find
 * none.
 *
 * Threads  the acceptor.
 * Errors   0 or -errno.
 * Owner    the table owns the slots; a slot owns its descriptor until table_release.
 */
#ifndef HOST_TABLE_H
#define HOST_TABLE_H

#include "host/conf/conf.h"
#include "host/net/connection.h"

enum { TABLE_SPARE = 32 }; /* places for those who are turned away */

struct table;

MUST_CHECK int table_new(const struct conf *conf, struct table **ret);
/* Closes what is still open. */
struct table *table_free(struct table *table);

/* How many connections one CID may have from now on. */
void table_limit_cid(struct table *table, uint32_t per_cid);

enum table_place {
    TABLE_COUNTED,      /* within both limits */
    TABLE_TURNED_AWAY,  /* at a limit: say `busy`, then let it go */
    TABLE_NO_PLACE_LEFT /* not even for that: close it */
};

/* Takes a slot for a new connection and sets its descriptor, CID and generation. Takes *fd (sets
 * -1) unless there is no place left. */
enum table_place table_take(struct table *table, int *fd, uint32_t cid, struct connection **ret);
/* Closes the descriptor, gives up the ticket, frees the slot. */
void table_release(struct table *table, struct connection *connection);

/* Slots, for walking over all of them; those in use have a state other than CONNECTION_FREE. */
uint32_t table_size(const struct table *table);
struct connection *table_at(struct table *table, uint32_t slot);
/* Slots in use, counted or not. */
uint32_t table_in_use(const struct table *table);

#endif
