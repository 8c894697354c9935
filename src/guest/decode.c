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

/* A window on the capture that holds any whole frame, and the lines that are not yet written. */
struct capture {
    int fd;
    int64_t deadline_ms;
    bool eof;
    uint64_t offset; /* of bytes[0] */
    size_t length;
    uint8_t bytes[GUEST_ANSWER_MAX];
    int stdout_error; /* 0 or -errno, the first */
    size_t shown_length;
    char shown[SHOWN_MAX];
};

static void flush_lines(struct capture *capture)
{
    if (capture->stdout_error == 0 && capture->shown_length > 0) {
        capture->stdout_error = bytes_write(STDOUT_FILENO, capture->shown, capture->shown_length,
                                            NO_STOP, capture->deadline_ms);
    }
    capture->shown_length = 0;
}

static void print_line(void *context, const char *line)
{
    struct capture *capture = context;
    if (capture->shown_length + strlen(line) + sizeof "\n" > SHOWN_MAX) {
        flush_lines(capture);
    }
    capture->shown_length += (size_t)snprintf(capture->shown + capture->shown_length,
                                              SHOWN_MAX - capture->shown_length, "%s\n", line);
}

/* Writes the lines first: a reader sees all of them before the program waits. */
static int read_more(struct capture *capture)
{
    size_t room = sizeof capture->bytes - capture->length;
    size_t got = 0;
    flush_lines(capture);
    if (capture->stdout_error < 0) {
        return capture->stdout_error;
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

static void drop_bytes(struct capture *capture, size_t length)
{
    capture->length -= length;
    memmove(capture->bytes, capture->bytes + length, capture->length);
    capture->offset += length;
}

/* Sets *valid to false when some bytes are not valid. */
static int explain_all(struct capture *capture, bool *valid)
{
    const struct dissector dissector = {.line = print_line, .context = capture};
    while (capture->length > 0 || !capture->eof) {
        enum dissected dissected = DISSECTED_MORE;
        size_t used = 0;
        if (capture->length > 0) {
            dissected = dissect_frame(&dissector, capture->offset, capture->bytes, capture->length,
                                      capture->eof, &used);
        }
        *valid = *valid && (dissected == DISSECTED_SOUND || dissected == DISSECTED_MORE);
        if (dissected == DISSECTED_LOST) {
            return 0;
        }
        drop_bytes(capture, used);
        int error = dissected == DISSECTED_MORE ? read_more(capture) : 0;
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

void decode_run(const char *file, int64_t deadline_ms, struct report *ret)
{
    const char *name = file != NULL ? file : "stdin";
    struct capture capture = {.fd = open_capture(file), .deadline_ms = deadline_ms};
    bool valid = true;
    int error = capture.fd < 0 ? capture.fd : explain_all(&capture, &valid);
    if (capture.fd > STDERR_FILENO) {
        close(capture.fd);
    }
    flush_lines(&capture);
    if (capture.stdout_error < 0) {
        report_stdout(ret, "stdout could not be written", capture.stdout_error);
    } else if (error == -ETIME) {
        report_set(ret, EXIT_TIME_OVER, "timeout", "%s did not end within the time limit", name);
    } else if (error < 0) {
        report_set(ret, EXIT_USAGE, "usage",
                   "cannot read %s: %s; expected a file of captured bytes", name, strerror(-error));
    } else if (!valid) {
        report_set(ret, EXIT_HOST_ERROR, "malformed",
                   "%s: some bytes are not valid; the lines above show which", name);
    }
}
