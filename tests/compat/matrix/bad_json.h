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

/* What is sent: head, `open` so many times, `close` as often, tail. What is answered, to the byte.
 */
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

#define BYTES(literal) (literal), sizeof(literal) - 1
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

#define VERSION         "{\"Ok\":{\"HostOSVersion\":\"1.2.3\"}}"
#define DONE            "{\"Ok\":\"NoPayload\"}"
#define ERR(text)       "{\"Err\":\"" text "\"}"
#define CUT(bytes)      ERR("malformed: the stream ended inside an object, after " bytes " bytes")
#define NO_OBJECT(what) ERR("malformed: the request has " what "; expected a JSON object")
#define TWICE           NO_OBJECT("a key that is there already")
#define NO_JSON         NO_OBJECT("bytes that are no JSON")
#define NO_UTF_8        NO_OBJECT("bytes that are no UTF-8")
#define HAS_NUL         NO_OBJECT("a NUL")
#define OUT_OF_RANGE    NO_OBJECT("a number that is out of range")
#define BEHIND          ERR("malformed: bytes follow the request's object; expected one object alone")
#define DEEP            ERR("malformed: the request is nested too deep; expected at most 1024 levels")
#define LARGE           ERR("too_large: the request has more than 16384 bytes; expected at most these")
#define NO_CID \
    ERR("malformed: sender_cid is missing or no CID; expected the sender's own, in decimal")
#define NO_COUNT ERR("malformed: the message lacks a count, an integer from 0 to 4294967295")
#define UNKNOWN                                                                               \
    ERR("unknown_command: the message is missing or not known; expected attach-hsm, "         \
        "detach-hsm, GetVsockProtocol, GetHostOSVersion, start-upgrade-guest-vm, upgrade or " \
        "notify")
#define LATE \
    ERR("timeout: the first frame was not complete within 1 s: send sooner, or connect again")
#define ACCEPTED PEER_JSON_0_ACCEPTED
#define INVALID  PEER_JSON_0_INVALID

#define ASK(message)    "{\"sender_cid\":3,\"message\":" message "}"
#define ASK_VERSION     ASK("\"GetHostOSVersion\"")
#define NOTIFY(fields)  ASK("{\"notify\":{" fields "}}")
#define UPGRADE(fields) ASK("{\"upgrade\":{" fields "}}")
#define HASH            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define UPPER_CASE_HASH "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
#define NOWHERE         "http://127.0.0.1:1/image"
#define OLD(message)    "{\"sender_cid\":\"3\",\"message\":\"" message "\"}"

#endif
