/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of `key=value` lines that are replaced as a whole: the job's state, a download's
 * notes, the installation's record. What is read back is either the old content or the new, never a
 * mixture.
 *
 * Threads  any; two writers of one file must not run at once.
 * Errors   0 or -errno. keyfile_read: -ENOENT no such file, -EBADMSG not of this form, -EFBIG.
 * Shape    keys [a-z0-9_]; a value is one line, escaped (wire/escape.h), at most 4,096 bytes.
 */
#ifndef HOST_KEYFILE_H
#define HOST_KEYFILE_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Replacing a small file as a whole: after a power cut at any instant its name holds the old bytes
 * or the new ones.
 *
 * Threads  any; two writers of one name must not run at once (they share a temporary name).
 * Errors   0 or -errno; the old file is then still there, unless only the last fsync failed.
 */
/* Writes `name`.new in the directory, fsync, rename over `name`, fsync of the directory. The mode
 * is exact: the umask does not count. */
MUST_CHECK int file_replace(int directory_fd, const char *name, const void *bytes, size_t length,
                            mode_t mode);

enum { KEYFILE_MAX = 16384 /* bytes of the whole file */ };

struct keyfile {
    char bytes[KEYFILE_MAX];
    size_t length;
};

/* Building: keyfile_init, then one set per key, in the order of the file. Overflow is remembered
 * and told by keyfile_write as -EFBIG. */
void keyfile_init(struct keyfile *file);
void keyfile_set(struct keyfile *file, const char *key, const char *value);
void keyfile_set_number(struct keyfile *file, const char *key, uint64_t value);

/* Writes to a temporary name in the directory, fsync, rename over `name`, fsync of the directory.
 */
MUST_CHECK int keyfile_write(const struct keyfile *file, int directory_fd, const char *name,
                             mode_t mode);

/* Reads without following links. */
MUST_CHECK int keyfile_read(int directory_fd, const char *name, struct keyfile *ret);

/* Copies the value of a key; -ENOENT, or -ENOBUFS when it does not fit. */
MUST_CHECK int keyfile_get(const struct keyfile *file, const char *key, char *out, size_t size);
MUST_CHECK int keyfile_get_number(const struct keyfile *file, const char *key, uint64_t *ret);

/* Boot id of the running kernel, as /proc/sys/kernel/random/boot_id has it, without its newline. */
enum { BOOT_ID_SIZE = 37 };
MUST_CHECK int boot_id_read(char out[BOOT_ID_SIZE]);

#endif
