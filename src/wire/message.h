/* SPDX-License-Identifier: Apache-2.0 */
/* The typed messages that a guest and a host exchange, in every dialect, with their names and
 * numbers (docs/protocol.md, "Commands", "Responses" and "Error codes").
 *
 * A `struct text` points into the frame that the message was decoded from.
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
    HOSTOS_VERSION_MAX = 256, /* bytes of a HostOS version */
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

/* The tables of names and numbers. Each row begins with the identifier, the number on the wire and the
 * name in docs/protocol.md, on the command line and in logs. A receiver may get a number that it does
 * not know.
 *
 * A command also has: whether it is a query, which changes nothing at the host and may be sent again;
 * the kind of the response when it succeeded; and the rows of layout.c that its REQUEST has. */
#define COMMANDS(X)                                                                 \
    X(ATTACH_HSM, 1, "attach-hsm", false, NONE, plain)                              \
    X(DETACH_HSM, 2, "detach-hsm", false, NONE, plain)                              \
    X(GET_HOSTOS_VERSION, 3, "get-hostos-version", true, HOSTOS_VERSION, plain)     \
    X(UPGRADE, 4, "upgrade", false, NONE, upgrade)                                  \
    X(NOTIFY, 5, "notify", false, NONE, notify)                                     \
    X(GET_VSOCK_VERSION, 6, "get-vsock-version", true, HOSTOS_VSOCK_VERSION, plain) \
    X(GET_UPGRADE_STATUS, 7, "get-upgrade-status", true, UPGRADE_STATUS, plain)     \
    X(START_UPGRADE_GUEST_VM, 8, "start-upgrade-guest-vm", false, NONE, plain)

/* A kind of payload also has: the rows of layout.c that its RESPONSE has. */
#define PAYLOADS(X)                                                 \
    X(NONE, 0, "NoPayload", none)                                   \
    X(HOSTOS_VSOCK_VERSION, 1, "HostOSVsockVersion", vsock_version) \
    X(HOSTOS_VERSION, 2, "HostOSVersion", hostos_version)           \
    X(UPGRADE_STATUS, 3, "UpgradeStatus", status)

/* The phases of an upgrade. Rebooting: scheduled. Upgraded: installed, and rebooted since. */
#define PHASES(X)                    \
    X(IDLE, 0, "idle")               \
    X(QUEUED, 1, "queued")           \
    X(DOWNLOADING, 2, "downloading") \
    X(VERIFYING, 3, "verifying")     \
    X(INSTALLING, 4, "installing")   \
    X(REBOOTING, 5, "rebooting")     \
    X(FAILED, 6, "failed")           \
    X(UPGRADED, 7, "upgraded")

/* NONE is the result of an upgrade without an error. */
#define ERRORS(X)                                    \
    X(NONE, 0, "ok")                                 \
    X(MALFORMED, 1, "malformed")                     \
    X(UNSUPPORTED_VERSION, 2, "unsupported_version") \
    X(UNKNOWN_COMMAND, 3, "unknown_command")         \
    X(UNSUPPORTED_FIELD, 4, "unsupported_field")     \
    X(INVALID_ARGUMENT, 5, "invalid_argument")       \
    X(FORBIDDEN, 6, "forbidden")                     \
    X(BUSY, 7, "busy")                               \
    X(TOO_LARGE, 8, "too_large")                     \
    X(TIMEOUT, 9, "timeout")                         \
    X(UNAVAILABLE, 10, "unavailable")                \
    X(DOWNLOAD_FAILED, 11, "download_failed")        \
    X(HASH_MISMATCH, 12, "hash_mismatch")            \
    X(INSTALL_FAILED, 13, "install_failed")          \
    X(REBOOT_FAILED, 14, "reboot_failed")            \
    X(NO_SPACE, 15, "no_space")                      \
    X(SHUTTING_DOWN, 16, "shutting_down")            \
    X(INTERNAL, 17, "internal")                      \
    X(NOT_READY, 18, "not_ready")

#define COMMAND_NUMBER(id, number, ...) COMMAND_##id = (number),
enum command { COMMAND_NONE = 0, COMMANDS(COMMAND_NUMBER) };
enum { COMMAND_LAST = COMMAND_START_UPGRADE_GUEST_VM };

#define PAYLOAD_NUMBER(id, number, ...) PAYLOAD_##id = (number),
enum payload_kind { PAYLOADS(PAYLOAD_NUMBER) };
enum { PAYLOAD_LAST = PAYLOAD_UPGRADE_STATUS };

#define PHASE_NUMBER(id, number, name) PHASE_##id = (number),
enum phase { PHASES(PHASE_NUMBER) };
enum { PHASE_LAST = PHASE_UPGRADED };

#define ERROR_NUMBER(id, number, name) ERROR_##id = (number),
enum error_code { ERRORS(ERROR_NUMBER) };
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

/* Only the members of its command are set. */
struct request {
    enum command command;
    bool progress;               /* upgrade: the guest wants PROGRESS */
    uint8_t sha256[SHA256_SIZE]; /* upgrade */
    struct text url;             /* upgrade */
    struct text message;         /* notify */
    uint32_t count;              /* notify: times */
};

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

/* PROGRESS carries an upgrade status and no kind. */
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

/* NULL: no such number. */
const char *command_name(unsigned command);
const char *phase_name(unsigned phase);
const char *error_name(unsigned code);
const char *payload_name(unsigned kind);

enum command command_find(const char *name); /* COMMAND_NONE: unknown name */
bool command_is_query(enum command command);
enum payload_kind command_answer(enum command command);

static inline struct answer answer_error(enum error_code code, const char *message)
{
    return (struct answer){
        .type = ANSWER_ERROR, .code = (uint16_t)code, .message = text_of(message)};
}

#endif
