/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keyfile.h"

#include "wire/number.h"
#include "wire/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open_directory(int at_fd, const char *path)
{
    int nofollow = at_fd == AT_FDCWD ? 0 : O_NOFOLLOW;
    int fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | nofollow);
    return fd < 0 ? -errno : fd;
}

void file_close(int fd)
{
    int saved = errno;
    if (fd >= 0) {
        (void)close(fd); /* nothing was written */
    }
    errno = saved;
}

int file_read(int fd, void *out, size_t size, size_t *ret)
{
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, (char *)out + length, size - length);
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            break;
        }
        length += got > 0 ? (size_t)got : 0;
    }
    *ret = length;
    return 0;
}

int boot_id_read(char out[BOOT_ID_SIZE])
{
    char bytes[BOOT_ID_SIZE]; /* 36 characters and a newline */
    size_t length = 0;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? -errno : file_read(fd, bytes, sizeof bytes, &length);
    file_close(fd);
    if (error != 0) {
        return error;
    }
    if (length != BOOT_ID_SIZE || bytes[BOOT_ID_SIZE - 1] != '\n') {
        return -EBADMSG;
    }
    memcpy(out, bytes, BOOT_ID_SIZE - 1);
    out[BOOT_ID_SIZE - 1] = '\0';
    return 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);
        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        if (done > 0) {
            bytes += done;
            length -= (size_t)done;
        }
    }
    return 0;
}

static int write_durably(int fd, const void *bytes, size_t length, mode_t mode)
{
    int error = write_all(fd, bytes, length);
    if (error != 0) {
        return error;
    }
    return fchmod(fd, mode) != 0 || fsync(fd) != 0 ? -errno : 0;
}

static int make_file(int directory_fd, const char *name, const void *bytes, size_t length,
                     mode_t mode)
{
    /* A crash may have left one behind. */
    if (unlinkat(directory_fd, name, 0) != 0 && errno != ENOENT) {
        return -errno;
    }
    int fd =
        openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR);
    if (fd < 0) {
        return -errno;
    }
    int error = write_durably(fd, bytes, length, mode);
    if (close(fd) != 0 && error == 0) {
        error = -errno;
    }
    return error;
}

int file_replace(int directory_fd, const char *name, const void *bytes, size_t length, mode_t mode)
{
    char temporary[NAME_MAX + 1];
    int needed = snprintf(temporary, sizeof temporary, "%s.new", name);
    if (needed < 0 || (size_t)needed >= sizeof temporary) {
        return -ENAMETOOLONG;
    }
    int error = make_file(directory_fd, temporary, bytes, length, mode);
    if (error == 0 && renameat(directory_fd, temporary, directory_fd, name) != 0) {
        error = -errno;
    }
    if (error != 0) {
        (void)unlinkat(directory_fd, temporary, 0); /* the first error counts */
        return error;
    }
    return fsync(directory_fd) != 0 ? -errno : 0;
}

enum {
    VALUE_MAX = 4096,
    TOO_LONG = KEYFILE_MAX + 1, /* the length when something did not fit */
};

/* One line of a file: both point into its bytes. */
struct entry {
    struct text key;
    struct text value;
};

static bool key_valid(struct text key)
{
    for (size_t i = 0; i < key.length; i++) {
        char c = key.bytes[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return key.length > 0;
}

/* It is escaped: escaping it again changes nothing. */
static bool value_valid(struct text value)
{
    char escaped[VALUE_MAX + 1];
    return value.length <= VALUE_MAX &&
           escape_text(value, ESCAPE_LINE, escaped, sizeof escaped) == value.length &&
           memcmp(escaped, value.bytes, value.length) == 0;
}

/* Reads the line at *offset and moves *offset behind it. */
static bool next_entry(const struct keyfile *file, size_t *offset, struct entry *ret)
{
    const char *line = file->bytes + *offset;
    const char *end = memchr(line, '\n', file->length - *offset);
    const char *equals = end == NULL ? NULL : memchr(line, '=', (size_t)(end - line));
    if (equals == NULL) {
        return false;
    }
    ret->key = (struct text){line, (size_t)(equals - line)};
    ret->value = (struct text){equals + 1, (size_t)(end - equals - 1)};
    *offset += (size_t)(end - line) + 1;
    return true;
}

static bool find_value(const struct keyfile *file, struct text key, struct text *ret)
{
    size_t offset = 0;
    struct entry entry;
    while (offset < file->length && next_entry(file, &offset, &entry)) {
        if (entry.key.length == key.length && memcmp(entry.key.bytes, key.bytes, key.length) == 0) {
            *ret = entry.value;
            return true;
        }
    }
    return false;
}

static int validate(const struct keyfile *file)
{
    size_t offset = 0;
    while (offset < file->length) {
        struct entry entry;
        struct text first;
        if (!next_entry(file, &offset, &entry) || !key_valid(entry.key) ||
            !value_valid(entry.value) || !find_value(file, entry.key, &first) ||
            first.bytes != entry.value.bytes) {
            return -EBADMSG; /* the last: a key that is there twice */
        }
    }
    return 0;
}

void keyfile_init(struct keyfile *file)
{
    file->length = 0;
}

void keyfile_set(struct keyfile *file, const char *key, const char *value)
{
    char escaped[VALUE_MAX + 1];
    if (file->length > KEYFILE_MAX ||
        escape_text(text_of(value), ESCAPE_LINE, escaped, sizeof escaped) > VALUE_MAX) {
        file->length = TOO_LONG;
        return;
    }
    size_t left = KEYFILE_MAX - file->length;
    int needed = snprintf(file->bytes + file->length, left, "%s=%s\n", key, escaped);
    if (needed < 0 || (size_t)needed >= left) {
        file->length = TOO_LONG;
        return;
    }
    file->length += (size_t)needed;
}

void keyfile_set_number(struct keyfile *file, const char *key, uint64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRIu64, value); /* 20 digits at most */
    keyfile_set(file, key, digits);
}

int keyfile_write(const struct keyfile *file, int directory_fd, const char *name, mode_t mode)
{
    if (file->length > KEYFILE_MAX) {
        return -EFBIG;
    }
    return file_replace(directory_fd, name, file->bytes, file->length, mode);
}

static int read_whole(int fd, struct keyfile *file)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return -EBADMSG;
    }
    int error = file_read(fd, file->bytes, KEYFILE_MAX, &file->length);
    if (error == 0 && file->length == KEYFILE_MAX) { /* keyfile_set never fills the last byte */
        error = -EFBIG;
    }
    return error != 0 ? error : validate(file);
}

int keyfile_read(int directory_fd, const char *name, struct keyfile *ret)
{
    /* O_NONBLOCK: opening a FIFO must not wait for its writer. */
    int fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    struct keyfile file = {.length = 0};
    int error = read_whole(fd, &file);
    file_close(fd);
    if (error == 0) {
        memcpy(ret->bytes, file.bytes, file.length);
        ret->length = file.length;
    }
    return error;
}

int keyfile_get(const struct keyfile *file, const char *key, char *out, size_t size)
{
    struct text value;
    if (file->length > KEYFILE_MAX || !find_value(file, text_of(key), &value)) {
        return -ENOENT;
    }
    if (value.length >= size) {
        return -ENOBUFS;
    }
    memcpy(out, value.bytes, value.length);
    out[value.length] = '\0';
    return 0;
}

int keyfile_get_number(const struct keyfile *file, const char *key, uint64_t *ret)
{
    char digits[24];
    int error = keyfile_get(file, key, digits, sizeof digits);
    return error != 0 ? error : decimal_parse(digits, 0, UINT64_MAX, ret);
}
