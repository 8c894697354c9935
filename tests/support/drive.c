/* SPDX-License-Identifier: Apache-2.0 */
#include "support/drive.h"

#include "compat/dialects.h"
#include "support/golden.h"

#include <stdlib.h>

struct server_session host_agreed(void)
{
    struct server_session session;
    server_init(&session, 16384, 3);
    session.dialect = dialect_default;
    session.dialect_known = true;
    session.agreed = (struct wire_version){1, 0};
    return session;
}

struct client_session guest_agreed(enum command command, uint32_t id)
{
    return (struct client_session){
        .dialect = dialect_default,
        .agreed = {1, 0},
        .id = id,
        .command = command,
        .progress = true,
    };
}

/* Room for one more event, or the last one again: a drive of endless frames is cut there. */
static struct drive_event *next_event(struct drive *drive)
{
    if (drive->count < DRIVE_EVENTS_MAX) {
        drive->count++;
    }
    struct drive_event *event = &drive->event[drive->count - 1];
    *event = (struct drive_event){0};
    return event;
}

static void note_refusal(struct drive *drive, struct drive_event *event,
                         const struct protocol_error *protocol_error)
{
    event->kind = DRIVE_REFUSED;
    event->code = protocol_error->code;
    event->closes = protocol_error->closes;
    drive->last = *protocol_error;
}

/* STEP_LAST: a frame was taken, and no further one is. */
enum child_command { STEP_ON, STEP_LAST, STEP_MORE, STEP_STOP };

static bool goes_on(enum child_command step)
{
    return step == STEP_ON || step == STEP_MORE;
}

static enum child_command decode_at_host(struct server_session *session, const uint8_t *bytes,
                                         size_t length, struct drive *drive)
{
    uint8_t *frame = exact_copy(bytes, length);
    uint8_t room[ANSWER_BYTES_MAX];
    struct reply reply = {room, sizeof room, 0};
    struct request request = {0};
    struct protocol_error protocol_error;
    struct drive_event *event = next_event(drive);
    event->frame_length = length;
    enum decoding decoding =
        server_decode(session, frame, length, &request, &protocol_error, &reply);
    event->id = session->id;
    if (decoding == DECODING_REFUSED) {
        note_refusal(drive, event, &protocol_error);
    } else {
        event->kind = decoding == DECODING_REPLY ? DRIVE_REPLY : DRIVE_REQUEST;
        event->command = request.command;
        drive->asked = request;
    }
    free(frame);
    if (decoding == DECODING_REFUSED && protocol_error.closes) {
        return STEP_STOP;
    }
    return server_closes_after_answer(session) ? STEP_LAST : STEP_ON;
}

static enum child_command step_at_host(void *context, const uint8_t *bytes, size_t length, bool eof,
                                       size_t *taken, struct drive *drive)
{
    struct server_session *session = context;
    struct protocol_error protocol_error;
    uint8_t *input = exact_copy(bytes, length);
    enum framing framing = server_frame(session, input, length, eof, taken, &protocol_error);
    free(input);
    if (framing == FRAMING_MORE) {
        return STEP_MORE;
    }
    if (framing == FRAMING_WHOLE) {
        return decode_at_host(session, bytes, *taken, drive);
    }
    struct drive_event *event = next_event(drive);
    note_refusal(drive, event, &protocol_error);
    event->id = session->id;
    return STEP_STOP;
}

static enum child_command decode_at_guest(struct client_session *session, const uint8_t *bytes,
                                          size_t length, struct drive *drive)
{
    const struct dialect *dialect = session->dialect;
    bool greeting = dialect->encode_greeting != NULL && session->agreed.major == 0;
    uint8_t *frame = exact_copy(bytes, length);
    struct answer answer = {0};
    struct protocol_error protocol_error;
    struct drive_event *event = next_event(drive);
    event->frame_length = length;
    event->id = session->id;
    int error = dialect->decode_answer(session, greeting, frame, length, &answer, &protocol_error);
    if (error < 0) {
        note_refusal(drive, event, &protocol_error);
    } else {
        event->kind = greeting && answer.type == ANSWER_RESPONSE ? DRIVE_REPLY : DRIVE_REQUEST;
        event->type = answer.type;
        event->code = answer.type == ANSWER_ERROR ? (enum error_code)answer.code : ERROR_NONE;
    }
    free(frame);
    if (error < 0) {
        return STEP_STOP;
    }
    return dialect->closes_after_answer ? STEP_LAST : STEP_ON;
}

static enum child_command step_at_guest(void *context, const uint8_t *bytes, size_t length,
                                        bool eof, size_t *taken, struct drive *drive)
{
    struct client_session *session = context;
    struct protocol_error protocol_error;
    uint8_t *input = exact_copy(bytes, length);
    enum framing framing =
        session->dialect->frame_answer(session, input, length, eof, taken, &protocol_error);
    free(input);
    if (framing == FRAMING_MORE) {
        return STEP_MORE;
    }
    if (framing == FRAMING_WHOLE) {
        return decode_at_guest(session, bytes, *taken, drive);
    }
    note_refusal(drive, next_event(drive), &protocol_error);
    return STEP_STOP;
}

static size_t next_end(size_t end, size_t length, size_t chunk)
{
    return length - end <= chunk ? length : end + chunk;
}

typedef enum child_command step_function(void *session, const uint8_t *bytes, size_t length,
                                         bool eof, size_t *taken, struct drive *drive);

static void drive_stream(step_function *step_at, void *session, const uint8_t *bytes, size_t length,
                         size_t chunk, struct drive *ret)
{
    enum child_command step = STEP_ON;
    size_t at = 0;
    size_t end = next_end(0, length, chunk);
    *ret = (struct drive){0};
    while (goes_on(step)) {
        size_t taken = 0;
        step = step_at(session, bytes + at, end - at, end == length, &taken, ret);
        at += step == STEP_ON || step == STEP_LAST ? taken : 0;
        if (step == STEP_MORE && end == length) {
            break;
        }
        end = step == STEP_MORE ? next_end(end, length, chunk) : end;
    }
    ret->left = length - at;
}

void drive_host(struct server_session *session, const uint8_t *bytes, size_t length, size_t chunk,
                struct drive *ret)
{
    drive_stream(step_at_host, session, bytes, length, chunk, ret);
}

void drive_guest(struct client_session *session, const uint8_t *bytes, size_t length, size_t chunk,
                 struct drive *ret)
{
    drive_stream(step_at_guest, session, bytes, length, chunk, ret);
}

static bool event_equal(const struct drive_event *a, const struct drive_event *b)
{
    return a->kind == b->kind && a->frame_length == b->frame_length && a->id == b->id &&
           a->command == b->command && a->type == b->type && a->code == b->code &&
           a->closes == b->closes;
}

bool drive_equal(const struct drive *a, const struct drive *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (!event_equal(&a->event[i], &b->event[i])) {
            return false;
        }
    }
    return a->count == b->count && a->left == b->left;
}
