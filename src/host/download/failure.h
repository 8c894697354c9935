/* SPDX-License-Identifier: Apache-2.0 */
/* Why something did not work, for the guest and for the journal, and how far it reaches.
 *
 * Threads  values.
 * Shape    texts are one line, escaped, without credentials.
 */
#ifndef HOST_FAILURE_H
#define HOST_FAILURE_H

#include "host/download/download.h"
#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>

enum failure_scope {
    FAILURE_PASSING, /* it may work later */
    FAILURE_MIRROR,  /* it will not work at this server */
    FAILURE_FINAL,   /* it will not work */
    FAILURE_STOP,    /* nothing failed: the daemon stops; code and texts are not set */
};

struct failure {
    enum failure_scope scope;
    enum error_code code;
    char text[DOWNLOAD_TEXT_MAX];   /* what the guest is told */
    char detail[DOWNLOAD_TEXT_MAX]; /* what only the journal is told; may be "" */
};

/* Sets scope, code and text, clears the detail, and returns -EPROTO, so that it ends a function. */
int failure_set(struct failure *failure, enum failure_scope scope, enum error_code code,
                const char *format, ...) PRINTF_LIKE(4, 5);

/* The same for a call of the system on our own files: no_space or internal. Returns `error`. */
int failure_set_file(struct failure *failure, int error, const char *what);

/* True where memory, descriptors or threads were short: nothing is said of the file, and it may work
 * later. */
bool failure_is_shortage(int error);

/* Bytes of others are escaped. */
void failure_detail(struct failure *failure, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
