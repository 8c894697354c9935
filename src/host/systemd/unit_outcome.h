/* SPDX-License-Identifier: Apache-2.0 */
/* What came of starting a unit, as facts, and those facts in words.
 *
 * Threads  pure functions.
 * Source   org.freedesktop.systemd1(5): the results of JobRemoved, the errors of StartUnit;
 *          systemctl(1): the states of units.
 */
#ifndef HOST_UNIT_OUTCOME_H
#define HOST_UNIT_OUTCOME_H

#include <stdbool.h>

#include "wire/message.h"

enum {
    UNIT_WORD_MAX = 48,     /* a state or a result, and its end */
    UNIT_ERROR_MAX = 128,   /* the name of a D-Bus error */
    UNIT_MESSAGE_MAX = 384, /* what came with it */
    UNIT_WORDS_MAX = 1024,  /* unit_outcome_format */
};

enum unit_end {
    UNIT_REFUSED, /* it was not started, for certain: `error` and `message` say why */
    UNIT_ENDED,   /* systemd's job has ended: the rest says how */
    UNIT_LATE,    /* the deadline passed first; systemd goes on with it */
    UNIT_LEFT,    /* the daemon stops; likewise */
};

/* Texts that are not known are empty. */
struct unit_outcome {
    enum unit_end end;
    char error[UNIT_ERROR_MAX];
    char message[UNIT_MESSAGE_MAX];
    bool unheard;               /* at the last look the bus was gone, or systemd did not answer */
    char job[UNIT_WORD_MAX];    /* done, failed, timeout, canceled, dependency, skipped, ...; "": it
                                 * was not heard, but nothing is pending any more */
    char active[UNIT_WORD_MAX]; /* ActiveState */
    char sub[UNIT_WORD_MAX];    /* SubState */
    char result[UNIT_WORD_MAX]; /* Result: success, exit-code, signal, timeout, ... */
};

/* Its job is known to be done, and what it started is up, or has done its work. */
bool unit_outcome_well(const struct unit_outcome *outcome);

/* What a guest is told of one that did not go well. */
enum error_code unit_outcome_code(const struct unit_outcome *outcome);

/* One line, escaped, that names the unit and says what happened. */
void unit_outcome_format(const struct unit_outcome *outcome, const char *unit,
                         char out[UNIT_WORDS_MAX]);

#endif
