/* SPDX-License-Identifier: Apache-2.0 */
#include "host/log/log_target.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_stream(const char *journal_stream, const struct stat *stat)
{
    char own[48];
    snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)stat->st_dev, (uintmax_t)stat->st_ino);
    return strcmp(journal_stream, own) == 0;
}

bool log_target_is_journal(enum log_target target, const char *journal_stream,
                           const struct stat *stderr_stat)
{
    if (target != LOG_AUTO) {
        return target == LOG_JOURNAL;
    }
    return journal_stream != NULL && stderr_stat != NULL && is_stream(journal_stream, stderr_stat);
}
