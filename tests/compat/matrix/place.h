/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary folder, and a vsock_host of the build under test that touches nothing outside of it.
 * A failure ends the test program. */
#ifndef MATRIX_PLACE_H
#define MATRIX_PLACE_H

#include "peer_link.h"

#include <sys/types.h>

enum { PLACE_PATH_MAX = 128, PLACE_LOG_MAX = 1 << 20 };

struct place {
    char folder[32];
    char socket[PLACE_PATH_MAX];
    pid_t daemon; /* -1: none */
};

/* The folder, a version file that says 1.2.3, a console file, and an installer and a reboot command
 * that note what they were given. */
void place_make(struct place *place);
void place_remove(struct place *place);

/* Starts vsock_host and waits until it takes connections. `more`: sections that are appended to the
 * configuration. */
void place_start(struct place *place, const char *more);
/* Ends it. What is not in order is told on stderr, and is false. */
bool place_stop(struct place *place);

/* The path of a file of the folder. */
void place_path(const struct place *place, const char *name, char ret[PLACE_PATH_MAX]);
/* The content of a file of the folder, at most OCTETS_MAX bytes; none when it is not there. */
void place_read(const struct place *place, const char *name, struct octets *ret);
/* Waits until a file has at least so many lines; false after a minute. */
bool place_wait_lines(const struct place *place, const char *name, unsigned lines);

#endif
