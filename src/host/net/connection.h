/* SPDX-License-Identifier: Apache-2.0 */
/* One guest's connection: its descriptor, what has arrived, what is still to be sent, and how far
 * the conversation is. It belongs to the acceptor or to one worker and is handed on, never shared;
 * so nothing here is locked.
 *
 * All connections are made once at the start, in a table: an accept never allocates. Beside the
 * places that [limits] connections counts there are a few more, to answer `busy` to those above it.
 *
 * Threads  whoever owns the connection; its state, deadlines and list links, and the table: the acceptor.
 * Units    *_ms: CLOCK_MONOTONIC milliseconds.
 * Errors   0 or -errno; logs nothing.
 * Owner    the table owns the slots; a slot owns its descriptor until connection_table_release.
 */
#ifndef HOST_NET_CONNECTION_H
#define HOST_NET_CONNECTION_H

#include "compat/server.h"
#include "host/conf/conf.h"
#include "host/pending.h"
#include "wire/attributes.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CONNECTION_OUTPUT_MAX = 4 * ANSWER_BYTES_MAX };

enum connection_state {
    CONNECTION_FREE,
    CONNECTION_OPEN,      /* idle, half received, half sent, or waiting for its pending work */
    CONNECTION_WORKING,   /* a worker owns it */
    CONNECTION_LINGERING, /* all is sent; what still arrives is read and dropped */
};

struct connection {
    int fd;
    enum connection_state state;
    uint32_t slot;       /* index in the table */
    uint32_t generation; /* of the slot: tells an event of an earlier connection */
    uint32_t cid;
    bool allowed;      /* false: its request is answered `forbidden` */
    bool counted;      /* holds one of the places of [limits] connections */
    bool greeted;      /* its first frame was whole */
    bool ended;        /* the guest sends no more */
    bool closing;      /* ends once `out` is sent */
    bool watched;      /* is in the epoll set */
    bool wants_output; /* is there with EPOLLOUT */

    int64_t read_deadline_ms; /* of the frame, of idleness or of lingering */
    int64_t send_deadline_ms; /* while output is pending; CLOCK_NEVER otherwise */
    size_t linger_left;       /* bytes that may still be dropped */

    struct pending *pending; /* work whose end is the answer; no frame is read meanwhile */
    bool progress_wanted;
    bool progress_sent;         /* at least one PROGRESS; the next three are those of the last */
    uint16_t progress_phase;    /* its phase */
    uint64_t progress_revision; /* its revision */
    int64_t progress_ms;        /* when it was sent */
    int64_t look_deadline_ms;   /* when a PROGRESS that is too early now becomes due */

    struct connection *next; /* among those given back to the acceptor, or among the free ones */

    struct server_session session;
    size_t frame_length; /* of the whole frame at the start of `in`; 0: none */
    size_t in_length;
    size_t in_size;
    size_t out_length;
    size_t out_sent;
    uint8_t *in;  /* in_size bytes of the slot */
    uint8_t *out; /* CONNECTION_OUTPUT_MAX bytes of the slot */
};

/* Reads once. The bytes read, 0 at the end of the stream, or -errno (-EAGAIN: nothing is there;
 * -ENOBUFS: the input is full). */
MUST_CHECK ssize_t connection_receive(struct connection *connection);

/* Sends once what is pending. 0: some of it went, or there was nothing; -EAGAIN: nothing could go. */
MUST_CHECK int connection_send(struct connection *connection);

static inline bool connection_has_output(const struct connection *connection)
{
    return connection->out_sent < connection->out_length;
}

/* Appends an answer about the current frame. One that cannot be encoded ends the connection. */
void connection_answer(struct connection *connection, const struct answer *answer);

/* The answer to a command. Its errors leave the connection open, except those about the guest or
 * the host itself. */
void connection_answer_command(struct connection *connection, const struct answer *answer);

/* Appends an error; `closes`: the connection ends after it. */
void connection_refuse(struct connection *connection, enum error_code code, const char *text,
                       bool closes);

/* Looks for a whole frame, whose length is then frame_length. The caller refuses what cannot become
 * one. */
MUST_CHECK enum framing connection_frame(struct connection *connection,
                                         struct protocol_error *protocol_error);

/* Removes the whole frame from the input. */
void connection_consume(struct connection *connection);

enum { CONNECTION_TABLE_SPARE = 32 }; /* places for those who are answered `busy` */

struct connection_table;

MUST_CHECK int connection_table_new(const struct conf *conf, struct connection_table **ret);
/* Closes what is still open. */
struct connection_table *connection_table_free(struct connection_table *table);

/* How many connections one CID may have from now on. */
void connection_table_limit_cid(struct connection_table *table, uint32_t per_cid);

enum connection_table_place {
    CONNECTION_TABLE_COUNTED,      /* within both limits */
    CONNECTION_TABLE_TURNED_AWAY,  /* at a limit: to be answered `busy` and closed */
    CONNECTION_TABLE_NO_PLACE_LEFT /* not even for that: close it */
};

/* Takes a slot for a new connection and sets its descriptor, CID and generation. Takes *fd (sets
 * -1) unless there is no place left. */
enum connection_table_place connection_table_take(struct connection_table *table, int *fd,
                                                  uint32_t cid, struct connection **ret);
/* Closes the descriptor, gives up the pending work, frees the slot. */
void connection_table_release(struct connection_table *table, struct connection *connection);

/* Slots, for walking over all of them; those in use have a state other than CONNECTION_FREE. */
uint32_t connection_table_size(const struct connection_table *table);
struct connection *connection_table_at(struct connection_table *table, uint32_t slot);
/* Slots in use, counted or not. */
uint32_t connection_table_in_use(const struct connection_table *table);

#endif
