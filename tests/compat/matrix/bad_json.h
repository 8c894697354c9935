/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to the host in JSON, and what it answers. */
#ifndef MATRIX_BAD_JSON_H
#define MATRIX_BAD_JSON_H

#include "peer_json.h"

enum manner {
    ONE_WRITE,
    BYTE_BY_BYTE,
    HALF_CLOSED, /* one write, and then the end of the stream */
};

/* What is sent: head, `open` so many times, `close` as often, tail. What is answered, to the byte;
 * a star stands for words to a person. */
struct sample {
    const char *name;
    const char *answer;
    const char *head;
    size_t head_length;
    const char *open;
    const char *close;
    size_t count;
    const char *tail;
    enum manner manner;
};

struct samples {
    const char *name;
    const struct sample *sample;
    size_t count;
};

extern const struct samples bad_json_samples[];
extern const size_t bad_json_samples_count;

#define BYTES(literal) literal, sizeof(literal) - 1
#define SAY(name, answer, literal)                             \
    {                                                          \
        name, answer, BYTES(literal), "", "", 0, "", ONE_WRITE \
    }
#define SAY_AS(manner, name, answer, literal)               \
    {                                                       \
        name, answer, BYTES(literal), "", "", 0, "", manner \
    }
#define REPEAT(name, answer, head, open, close, count, tail)           \
    {                                                                  \
        name, answer, BYTES(head), open, close, count, tail, ONE_WRITE \
    }

#define VERSION   "{\"Ok\":{\"HostOSVersion\":\"1.2.3\"}}"
#define DONE      "{\"Ok\":\"NoPayload\"}"
#define MALFORMED "{\"Err\":\"malformed: *\"}"
#define TOO_LARGE "{\"Err\":\"too_large: *\"}"
#define UNKNOWN   "{\"Err\":\"unknown_command: *\"}"
#define ERROR_1   "{\"Err\":\"*\"}"
#define ACCEPTED  PEER_JSON_0_ACCEPTED
#define INVALID   PEER_JSON_0_INVALID

#define ASK(message)    "{\"sender_cid\":3,\"message\":" message "}"
#define ASK_VERSION     ASK("\"GetHostOSVersion\"")
#define NOTIFY(fields)  ASK("{\"notify\":{" fields "}}")
#define UPGRADE(fields) ASK("{\"upgrade\":{" fields "}}")
#define HASH            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define UPPER_CASE_HASH "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
#define NOWHERE         "http://127.0.0.1:1/image"
#define OLD(message)    "{\"sender_cid\":\"3\",\"message\":\"" message "\"}"

#endif
