/* SPDX-License-Identifier: Apache-2.0 */
/* The HostOS version: what the file of [version] file holds, trimmed.
 *
 * Threads  any; the file is read at every call, so a new version is told at once.
 * Errors   0 or -errno; -ENODATA: nothing but blanks; -EFBIG: more than HOSTOS_VERSION_MAX bytes;
 *          -EILSEQ: not UTF-8.
 */
#ifndef HOST_VERSION_FILE_H
#define HOST_VERSION_FILE_H

#include "wire/attributes.h"
#include "wire/message.h"

MUST_CHECK int version_file_read(const char *path, char ret[HOSTOS_VERSION_MAX + 1]);

/* What is wrong with the file, for a person. */
const char *version_file_explain(int error);

#endif
