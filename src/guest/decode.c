/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/decode.h"

#include "compat/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A window on the capture that any whole frame fits. */
struct capture {
    int fd;
    bool eof;
    uint64_t offset; /* of bytes[0] */
    size_t length;
    uint8_t bytes[GUEST_ANSWER_MAX];
};

static void print_line(void *context, const char *line)
{
    (void)context;
    /* What cannot be written is found by the fflush at the end. */
    printf("%s\n", line);
}

static int fill(struct capture *capture)
{
    size_t room = sizeof(capture->bytes) - capture->length;
    ssize_t got = read(capture->fd, capture->bytes + capture->length, room);
    if (got < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    capture->length += (size_t)got;
    capture->eof = got == 0 && room > 0;
    return 0;
}

static void take(struct capture *capture, size_t length)
{
    capture->length -= length;
    memmove(capture->bytes, capture->bytes + length, capture->length);
    capture->offset += length;
}

/* Frame after frame; *sound is set to false when something makes no sense. */
static int explain_all(struct capture *capture, bool *sound)
{
    const struct explainer explainer = {.line = print_line};
    while (capture->length > 0 || !capture->eof) {
        enum explained explained = EXPLAINED_MORE;
        size_t taken = 0;
        if (capture->length > 0) {
            explained = explain_frame(&explainer, capture->offset, capture->bytes, capture->length,
                                      capture->eof, &taken);
        }
        *sound = *sound && (explained == EXPLAINED_SOUND || explained == EXPLAINED_MORE);
        if (explained == EXPLAINED_LOST) {
            return 0;
        }
        take(capture, taken);
        int error = explained == EXPLAINED_MORE ? fill(capture) : 0;
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

static int open_capture(const char *file)
{
    if (file == NULL || strcmp(file, "-") == 0) {
        return STDIN_FILENO;
    }
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

void decode_run(const char *file, struct report *ret)
{
    const char *name = file != NULL ? file : "stdin";
    struct capture capture = {.fd = open_capture(file)};
    bool sound = true;
    int error = capture.fd < 0 ? capture.fd : explain_all(&capture, &sound);
    if (capture.fd > STDERR_FILENO) {
        close(capture.fd);
    }
    if (fflush(stdout) != 0) {
        report_set(ret, REPORT_STDOUT, "broken", "stdout could not be written: %s",
                   strerror(errno));
    } else if (error < 0) {
        report_set(ret, REPORT_USAGE, "usage", "%s: %s; expected a file of captured bytes", name,
                   strerror(-error));
    } else if (!sound) {
        report_set(ret, REPORT_HOST_ERROR, "malformed",
                   "%s: some of the bytes make no sense; the lines above say which", name);
    }
}
