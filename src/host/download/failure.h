/* SPDX-License-Identifier: Apache-2.0 */
/* Why a download failed, for the guest and for the journal. Texts are one line, escaped, without
 * credentials. */
#ifndef HOST_FAILURE_H
#define HOST_FAILURE_H

#include "wire/attributes.h"
#include "wire/message.h"

#include <stdbool.h>

enum failure_scope {
    FAILURE_PASSING, /* a later try may succeed */
    FAILURE_MIRROR,  /* this server cannot deliver the image */
    FAILURE_FINAL,   /* no server can */
    FAILURE_STOP,    /* the daemon stops; code and texts are not set */
};

enum { FAILURE_TEXT_MAX = 512 };

struct failure {
    const char *directory; /* [upgrade] directory, for texts; set once */
    enum failure_scope scope;
    enum error_code code;
    char text[FAILURE_TEXT_MAX];   /* for the guest and the journal */
    char detail[FAILURE_TEXT_MAX]; /* for the journal alone; may be "" */
};

/* Sets scope, code and text, clears the detail; returns -EPROTO. */
int failure_set(struct failure *failure, enum failure_scope scope, enum error_code code,
                const char *format, ...) PRINTF_LIKE(4, 5);

/* The same for a system call on files of the download: no_space or internal. `operation`: such as
 * "write". Returns `error`. */
int failure_set_file(struct failure *failure, int error, const char *operation);

/* True where memory, descriptors or threads ran short, which says nothing about the file. */
bool failure_is_shortage(int error);

/* Escapes what it is given. */
void failure_detail(struct failure *failure, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
