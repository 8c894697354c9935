/* SPDX-License-Identifier: Apache-2.0 */
/* What several dialects do with answers.
 *
 * Threads  pure functions.
 */
#ifndef COMPAT_ANSWER_H
#define COMPAT_ANSWER_H

#include "compat/dialect.h"

enum { ANSWER_LINE_MAX = ANSWER_TEXT_MAX + 32 };

/* An error where there are no codes but a text: `code: message`, cut to fit. */
struct text answer_error_line(const struct answer *error, char out[ANSWER_LINE_MAX]);

/* The error that such a text tells. One that does not begin with a code's name is as a whole the
 * message of an internal error. */
struct answer answer_error_of_line(struct text line);

/* -EBADMSG with *refusal set when a response is of another kind than the command is answered with.
 */
MUST_CHECK int answer_judge_kind(enum command command, const struct answer *answer,
                                 struct refusal *refusal);

#endif
