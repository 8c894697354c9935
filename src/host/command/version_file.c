/* SPDX-License-Identifier: Apache-2.0 */
#include "host/command/version_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "wire/escape.h"

/* Room for blanks around the version; a longer file is refused. */
enum { FILE_MAX = HOSTOS_VERSION_MAX + 256 };

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The whole file, -EFBIG when there is more than `size`. */
static ssize_t read_all(const char *path, char *bytes, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return -errno;
    }
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length < size) {
        got = read(fd, bytes + length, size - length);
        if (got > 0) {
            length += (size_t)got;
        } else if (got < 0) {
            got = -errno;
        }
    }
    close(fd);
    if (got < 0) {
        return got;
    }
    return length == size ? -EFBIG : (ssize_t)length;
}

int version_file_read(const char *path, char ret[HOSTOS_VERSION_MAX + 1])
{
    char bytes[FILE_MAX + 1] = "";
    ssize_t got = read_all(path, bytes, sizeof bytes);
    if (got < 0) {
        return (int)got;
    }
    size_t start = 0;
    size_t end = (size_t)got;
    while (start < end && is_blank(bytes[start])) {
        start++;
    }
    while (end > start && is_blank(bytes[end - 1])) {
        end--;
    }
    size_t length = end - start;
    if (length == 0) {
        return -ENODATA;
    }
    if (length > HOSTOS_VERSION_MAX) {
        return -EFBIG;
    }
    if (!utf8_valid(bytes + start, length)) {
        return -EILSEQ;
    }
    memcpy(ret, bytes + start, length);
    ret[length] = '\0';
    return 0;
}

const char *version_file_explain(int error)
{
    switch (error) {
    case -ENODATA:
        return "it is empty";
    case -EFBIG:
        return "it holds more than 256 bytes";
    case -EILSEQ:
        return "it is not UTF-8 text";
    default:
        return strerror(-error);
    }
}
