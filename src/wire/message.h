/* SPDX-License-Identifier: Apache-2.0 */
/* The typed messages that a guest and a host exchange, whatever dialect carries them, and the one
 * table of their names and numbers.
 *
 * Threads  everything here is a value or a pure function.
 * Owner    a `struct text` points into bytes that belong to somebody else: a decoded message is
 *          valid as long as the frame it was decoded from is left alone.
 * Source   docs/protocol.md, sections "Commands", "Responses" and "Error codes".
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    SHA256_SIZE = 32,         /* bytes */
    URL_MAX = 2048,           /* bytes of an upgrade's url */
    NOTIFY_MAX = 4096,        /* bytes of a notify's message */
    HOSTOS_VERSION_MAX = 256, /* bytes of the version string a host tells */
};

/* UTF-8 without NUL, not terminated. An empty one may have a NULL pointer. */
struct text {
    const char *bytes;
    size_t length;
};

static inline struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

static inline bool text_is(struct text text, const char *string)
{
    size_t length = strlen(string);
    return text.length == length && (length == 0 || memcmp(text.bytes, string, length) == 0);
}

/* Numbers on the wire. */
enum command {
    COMMAND_NONE = 0,
    COMMAND_ATTACH_HSM = 1,
    COMMAND_DETACH_HSM = 2,
    COMMAND_GET_HOSTOS_VERSION = 3,
    COMMAND_UPGRADE = 4,
    COMMAND_NOTIFY = 5,
    COMMAND_GET_VSOCK_VERSION = 6,
    COMMAND_GET_UPGRADE_STATUS = 7,
    COMMAND_START_UPGRADE_GUEST_VM = 8,
};
enum { COMMAND_LAST = COMMAND_START_UPGRADE_GUEST_VM };

enum payload_kind {
    PAYLOAD_NONE = 0, /* NoPayload */
    PAYLOAD_HOSTOS_VSOCK_VERSION = 1,
    PAYLOAD_HOSTOS_VERSION = 2,
    PAYLOAD_UPGRADE_STATUS = 3,
};
enum { PAYLOAD_LAST = PAYLOAD_UPGRADE_STATUS };

/* Phases of an upgrade. A receiver may be sent one that it does not know. */
enum phase {
    PHASE_IDLE = 0,
    PHASE_QUEUED = 1,
    PHASE_DOWNLOADING = 2,
    PHASE_VERIFYING = 3,
    PHASE_INSTALLING = 4,
    PHASE_REBOOTING = 5, /* scheduled */
    PHASE_FAILED = 6,
    PHASE_UPGRADED = 7, /* installed, and the machine rebooted since */
};
enum { PHASE_LAST = PHASE_UPGRADED };

/* Error codes; 0 stands for "none" in an upgrade's result. */
enum error_code {
    ERROR_NONE = 0,
    ERROR_MALFORMED = 1,
    ERROR_UNSUPPORTED_VERSION = 2,
    ERROR_UNKNOWN_COMMAND = 3,
    ERROR_UNSUPPORTED_FIELD = 4,
    ERROR_INVALID_ARGUMENT = 5,
    ERROR_FORBIDDEN = 6,
    ERROR_BUSY = 7,
    ERROR_TOO_LARGE = 8,
    ERROR_TIMEOUT = 9,
    ERROR_UNAVAILABLE = 10,
    ERROR_DOWNLOAD_FAILED = 11,
    ERROR_HASH_MISMATCH = 12,
    ERROR_INSTALL_FAILED = 13,
    ERROR_REBOOT_FAILED = 14,
    ERROR_NO_SPACE = 15,
    ERROR_SHUTTING_DOWN = 16,
    ERROR_INTERNAL = 17,
    ERROR_NOT_READY = 18,
};
enum { ERROR_LAST = ERROR_NOT_READY };

struct release_version {
    uint32_t major;
    uint32_t minor;
    uint32_t patch;
};

struct wire_version {
    uint8_t major;
    uint8_t minor;
};
enum { WIRE_VERSIONS_MAX = 16 }; /* pairs in a HELLO */

struct wire_versions {
    size_t count;
    struct wire_version pair[WIRE_VERSIONS_MAX]; /* majors strictly falling */
};

/* What a guest asks. Only the members of its command are set. */
struct request {
    enum command command;
    bool progress;               /* upgrade: PROGRESS is wanted */
    uint8_t sha256[SHA256_SIZE]; /* upgrade */
    struct text url;             /* upgrade */
    struct text message;         /* notify */
    uint32_t count;              /* notify: times */
};

/* Where an upgrade stands. */
struct upgrade_status {
    uint16_t phase;  /* enum phase, or a number that this release does not know */
    uint16_t result; /* enum error_code, likewise; 0 while there is none */
    uint64_t done;   /* bytes */
    uint64_t total;  /* bytes; 0 while not known */
    bool has_sha256; /* false when there has been no upgrade */
    uint8_t sha256[SHA256_SIZE];
    bool has_changed;
    uint64_t changed;   /* Unix time of the last change, seconds */
    struct text detail; /* one line, may be empty */
};

enum answer_type { ANSWER_RESPONSE, ANSWER_PROGRESS, ANSWER_ERROR };

/* What a host says. PROGRESS carries an upgrade status and no kind. */
struct answer {
    enum answer_type type;
    uint16_t kind; /* enum payload_kind, of a response */
    struct release_version vsock_version;
    struct text hostos_version;
    struct upgrade_status status;
    uint16_t code;                 /* enum error_code, of an error; a receiver may not know it */
    struct text message;           /* of an error, one line */
    struct wire_versions versions; /* of an error unsupported_version; count 0: absent */
};

/* The names used on the wire page, the command line and in logs; NULL for a number without one.
 * error_name(ERROR_NONE) is "ok", as the result of an upgrade is shown. */
const char *command_name(unsigned command);
const char *phase_name(unsigned phase);
const char *error_name(unsigned code);
/* As the payload form of vsock_guest spells it, such as NoPayload. */
const char *payload_name(unsigned kind);

/* COMMAND_NONE for a name that no command has. */
enum command command_find(const char *name);

/* True for the commands that change nothing, and so may be asked again on a new connection. */
bool command_is_query(enum command command);

/* The kind of response that a command is answered with when it was done. */
enum payload_kind command_answer(enum command command);

static inline struct answer answer_error(enum error_code code, const char *message)
{
    return (struct answer){
        .type = ANSWER_ERROR, .code = (uint16_t)code, .message = text_of(message)};
}

#endif
