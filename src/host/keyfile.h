/* SPDX-License-Identifier: Apache-2.0 */
/* Small files: opening and reading them, replacing one as a whole, and files of `key=value` lines.
 *
 * Threads  two writers of one name must not run at once: they share the temporary name `name`.new.
 * Errors   0 or -errno.
 */
#ifndef HOST_KEYFILE_H
#define HOST_KEYFILE_H

#include "wire/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A descriptor to read a directory, or -errno. `at_fd` AT_FDCWD: a path, whose links are followed;
 * else a name in that directory, which must not be a link. */
MUST_CHECK int file_open_directory(int at_fd, const char *path);

/* Closes a descriptor that was only read, if it is not negative; errno stays. */
void file_close(int fd);

/* Reads to the end, at most `size` bytes. */
MUST_CHECK int file_read(int fd, void *out, size_t size, size_t *ret);

/* Writes `name`.new in the directory, fsync, rename over `name`, fsync of the directory: after a
 * power cut at any instant `name` holds the old bytes or the new ones. After an error it holds the
 * old ones, unless only the last fsync failed. The mode is exact: the umask does not count. */
MUST_CHECK int file_replace(int directory_fd, const char *name, const void *bytes, size_t length,
                            mode_t mode);

enum { KEYFILE_MAX = 16384 /* bytes of the whole file */ };

/* Keys are [a-z0-9_]; a value is one line, escaped (wire/text.h), at most 4,096 bytes. */
struct keyfile {
    char bytes[KEYFILE_MAX];
    size_t length;
};

/* Building: keyfile_init, then one set per key, in the order of the file. keyfile_write returns
 * -EFBIG if something did not fit. */
void keyfile_init(struct keyfile *file);
void keyfile_set(struct keyfile *file, const char *key, const char *value);
void keyfile_set_number(struct keyfile *file, const char *key, uint64_t value);
MUST_CHECK int keyfile_write(const struct keyfile *file, int directory_fd, const char *name,
                             mode_t mode);

/* Without following links. -ENOENT: no such file; -EBADMSG: not of this form; -EFBIG: too long. */
MUST_CHECK int keyfile_read(int directory_fd, const char *name, struct keyfile *ret);
/* Copies the value of a key; -ENOENT, or -ENOBUFS when it does not fit. */
MUST_CHECK int keyfile_get(const struct keyfile *file, const char *key, char *out, size_t size);
MUST_CHECK int keyfile_get_number(const struct keyfile *file, const char *key, uint64_t *ret);

/* Boot id of the running kernel, as /proc/sys/kernel/random/boot_id has it, without its newline. */
enum { BOOT_ID_SIZE = 37 };
MUST_CHECK int boot_id_read(char out[BOOT_ID_SIZE]);

#endif
