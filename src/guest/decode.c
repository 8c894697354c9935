/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/decode.h"

#include "compat/dissect.h"
#include "guest/bytes.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { SHOWN_MAX = 16384, NO_STOP = -1 /* signals have their usual effect */ };

/* The lines, until they are written together. */
struct shown {
    int error; /* 0 or -errno, the first */
    size_t length;
    char bytes[SHOWN_MAX];
};

/* A window on the capture that any whole frame fits. */
struct capture {
    int fd;
    int64_t deadline_ms;
    bool eof;
    uint64_t offset; /* of bytes[0] */
    size_t length;
    uint8_t bytes[GUEST_ANSWER_MAX];
    struct shown shown;
};

static void flush(struct capture *capture)
{
    struct shown *shown = &capture->shown;
    if (shown->error == 0 && shown->length > 0) {
        shown->error =
            bytes_write(STDOUT_FILENO, shown->bytes, shown->length, NO_STOP, capture->deadline_ms);
    }
    shown->length = 0;
}

static void print_line(void *context, const char *line)
{
    struct capture *capture = context;
    struct shown *shown = &capture->shown;
    if (shown->length + strlen(line) + sizeof "\n" > sizeof shown->bytes) {
        flush(capture);
    }
    int added =
        snprintf(shown->bytes + shown->length, sizeof shown->bytes - shown->length, "%s\n", line);
    shown->length += (size_t)added;
}

/* Whoever reads along sees all that has come, before more is waited for. */
static int fill(struct capture *capture)
{
    size_t room = sizeof capture->bytes - capture->length;
    size_t got = 0;
    flush(capture);
    if (capture->shown.error < 0) {
        return capture->shown.error;
    }
    if (clock_ms() >= capture->deadline_ms) {
        return -ETIME; /* a capture that always has more must end too */
    }
    int error = bytes_read(capture->fd, (char *)capture->bytes + capture->length, room, NO_STOP,
                           capture->deadline_ms, &got);
    if (error < 0) {
        return error;
    }
    capture->length += got;
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
    const struct dissector dissector = {.line = print_line, .context = capture};
    while (capture->length > 0 || !capture->eof) {
        enum dissected dissected = EXPLAINED_MORE;
        size_t taken = 0;
        if (capture->length > 0) {
            dissected = dissect_frame(&dissector, capture->offset, capture->bytes, capture->length,
                                      capture->eof, &taken);
        }
        *sound = *sound && (dissected == EXPLAINED_SOUND || dissected == EXPLAINED_MORE);
        if (dissected == EXPLAINED_LOST) {
            return 0;
        }
        take(capture, taken);
        int error = dissected == EXPLAINED_MORE ? fill(capture) : 0;
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

static void report_stdout(int error, struct report *ret)
{
    report_set(ret, REPORT_STDOUT, "broken", "stdout could not be written: %s",
               error == -ETIME ? "it took nothing within the time limit" : strerror(-error));
}

void decode_run(const char *file, int64_t deadline_ms, struct report *ret)
{
    const char *name = file != NULL ? file : "stdin";
    struct capture capture = {.fd = open_capture(file), .deadline_ms = deadline_ms};
    bool sound = true;
    int error = capture.fd < 0 ? capture.fd : explain_all(&capture, &sound);
    if (capture.fd > STDERR_FILENO) {
        close(capture.fd);
    }
    flush(&capture);
    if (capture.shown.error < 0) {
        report_stdout(capture.shown.error, ret);
    } else if (error == -ETIME) {
        report_set(ret, REPORT_TIME_OVER, "timeout", "%s did not end in time", name);
    } else if (error < 0) {
        report_set(ret, REPORT_USAGE, "usage", "%s: %s; expected a file of captured bytes", name,
                   strerror(-error));
    } else if (!sound) {
        report_set(ret, REPORT_HOST_ERROR, "malformed",
                   "%s: some of the bytes make no sense; the lines above say which", name);
    }
}
