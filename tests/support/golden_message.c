/* SPDX-License-Identifier: Apache-2.0 */
#include "support/golden_message.h"

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
/* The digest of no bytes. */
#define SHA256                                                                                    \
    {                                                                                             \
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, \
            0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78,   \
            0x52, 0xb8, 0x55                                                                      \
    }
#define ROW(name_, type_, major, minor, id_) \
    .name = (name_), .type = FRAME_##type_, .version = {(major), (minor)}, .id = (id_)
#define ERROR(name, id, code_, text)            \
    {                                           \
        ROW(name, ERROR, 1, 0, id), .answer = { \
            .type = ANSWER_ERROR,               \
            .code = ERROR_##code_,              \
            .message = TEXT(text)               \
        }                                       \
    }
#define REQUEST(name, ...)                                                                  \
    {                                                                                       \
        ROW(name, REQUEST, 1, 0, GOLDEN_ID), .request = {.command = COMMAND_##__VA_ARGS__ } \
    }
#define STATUS(name, ...)                                 \
    {                                                     \
        ROW(name, RESPONSE, 1, 0, GOLDEN_ID), .answer = { \
            .type = ANSWER_RESPONSE,                      \
            .kind = PAYLOAD_UPGRADE_STATUS,               \
            .status = {.phase = PHASE_##__VA_ARGS__}      \
        }                                                 \
    }
#define PROGRESS(name, ...)                               \
    {                                                     \
        ROW(name, PROGRESS, 1, 0, GOLDEN_ID), .answer = { \
            .type = ANSWER_PROGRESS,                      \
            .status = {.phase = PHASE_##__VA_ARGS__}      \
        }                                                 \
    }
#define HASHED  .has_sha256 = true, .sha256 = SHA256
#define CHANGED .has_changed = true, .changed = 1763800000

const struct golden_message golden_messages[] = {
    ERROR("error-busy", GOLDEN_ID, BUSY,
          "another upgrade is downloading, and the queue of 1 is full"),
    ERROR("error-download-failed", GOLDEN_ID, DOWNLOAD_FAILED, "server answered 404: expected 200"),
    ERROR("error-forbidden", 0, FORBIDDEN, "CID 4 is not served: expected 3"),
    ERROR("error-hash-mismatch", GOLDEN_ID, HASH_MISMATCH,
          "the downloaded image has another SHA-256 than asked for"),
    ERROR("error-install-failed", GOLDEN_ID, INSTALL_FAILED, "installer exited with 1: expected 0"),
    ERROR("error-internal", GOLDEN_ID, INTERNAL, "out of memory"),
    ERROR("error-invalid-argument", GOLDEN_ID, INVALID_ARGUMENT,
          "url scheme ftp: expected http or https"),
    ERROR("error-malformed", 0, MALFORMED, "bad magic: expected \"VSCK\""),
    ERROR("error-no-space", GOLDEN_ID, NO_SPACE,
          "no room for 268435456 bytes and 1 GiB to keep free"),
    ERROR("error-not-ready", GOLDEN_ID, NOT_READY,
          "the present system is not committed as stable: try later"),
    {ROW("error-plain", ERROR, 1, 0, GOLDEN_ID),
     .answer = {.type = ANSWER_ERROR, .code = ERROR_INTERNAL}},
    ERROR("error-reboot-failed", GOLDEN_ID, REBOOT_FAILED,
          "the reboot has not come 600 s after its time"),
    ERROR("error-shutting-down", 0, SHUTTING_DOWN, "the host is shutting down: try again later"),
    ERROR("error-timeout", 0, TIMEOUT, "no whole frame within 5 s"),
    ERROR("error-too-large", GOLDEN_ID, TOO_LARGE, "payload of 20000 bytes: at most 16384"),
    ERROR("error-unavailable", GOLDEN_ID, UNAVAILABLE, "no HSM is plugged in: expected 20a0:4230"),
    ERROR("error-unknown-command", GOLDEN_ID, UNKNOWN_COMMAND,
          "unknown command 42: expected 1 to 8"),
    ERROR("error-unsupported-field", GOLDEN_ID, UNSUPPORTED_FIELD,
          "field 4 is not taken by attach-hsm"),
    {ROW("error-unsupported-version", ERROR, 1, 0, 0),
     .answer = {.type = ANSWER_ERROR,
                .code = ERROR_UNSUPPORTED_VERSION,
                .message = TEXT("no common major: expected one of 1.0"),
                .versions = {.count = 1, .pair = {{1, 0}}}}},
    {ROW("hello-1.0", HELLO, 1, 0, 0),
     .hello = {.versions = {.count = 1, .pair = {{1, 0}}}, .agent = TEXT("vsock_guest/1.0.0")}},
    {ROW("hello-1.7", HELLO, 1, 7, 0),
     .hello = {.versions = {.count = 1, .pair = {{1, 7}}}, .agent = TEXT("vsock_guest/1.0.0")}},
    {ROW("hello-2.0-1.3", HELLO, 2, 0, 0),
     .hello = {.versions = {.count = 2, .pair = {{2, 0}, {1, 3}}},
               .agent = TEXT("vsock_guest/1.0.0")}},
    {ROW("hello-2.0-only", HELLO, 2, 0, 0),
     .hello = {.versions = {.count = 1, .pair = {{2, 0}}}, .agent = TEXT("vsock_guest/1.0.0")}},
    {ROW("hello-no-agent", HELLO, 1, 0, 0), .hello = {.versions = {.count = 1, .pair = {{1, 0}}}}},
    PROGRESS("progress-downloading", DOWNLOADING, .done = 1048576, .total = 268435456, HASHED,
             CHANGED),
    PROGRESS("progress-queued", QUEUED, HASHED),
    REQUEST("request-attach-hsm", ATTACH_HSM),
    REQUEST("request-detach-hsm", DETACH_HSM),
    REQUEST("request-get-hostos-version", GET_HOSTOS_VERSION),
    REQUEST("request-get-upgrade-status", GET_UPGRADE_STATUS),
    REQUEST("request-get-vsock-version", GET_VSOCK_VERSION),
    REQUEST("request-notify-count-0", NOTIFY, .message = TEXT("Update finished.")),
    REQUEST("request-notify-count-1", NOTIFY, .message = TEXT("Update finished."), .count = 1),
    REQUEST("request-notify-count-10", NOTIFY, .message = TEXT("Update finished."), .count = 10),
    REQUEST("request-notify-utf-8", NOTIFY, .message = TEXT("Grüße, 世界 🚀\nline 2"), .count = 1),
    REQUEST("request-start-upgrade-guest-vm", START_UPGRADE_GUEST_VM),
    REQUEST("request-upgrade", UPGRADE, .url = TEXT("https://updates.example/hostos.tar.zst"),
            .sha256 = SHA256),
    REQUEST("request-upgrade-progress", UPGRADE,
            .url = TEXT("https://updates.example/hostos.tar.zst"), .sha256 = SHA256,
            .progress = true),
    {ROW("response-hostos-version", RESPONSE, 1, 0, GOLDEN_ID),
     .answer = {.type = ANSWER_RESPONSE,
                .kind = PAYLOAD_HOSTOS_VERSION,
                .hostos_version = TEXT("1.2.3")}},
    {ROW("response-hostos-vsock-version", RESPONSE, 1, 0, GOLDEN_ID),
     .answer = {.type = ANSWER_RESPONSE,
                .kind = PAYLOAD_HOSTOS_VSOCK_VERSION,
                .vsock_version = {1, 0, 0}}},
    {ROW("response-no-payload", RESPONSE, 1, 0, GOLDEN_ID),
     .answer = {.type = ANSWER_RESPONSE, .kind = PAYLOAD_NONE}},
    STATUS("response-upgrade-status-downloading", DOWNLOADING, .done = 1048576, .total = 268435456,
           HASHED, CHANGED),
    STATUS("response-upgrade-status-downloading-no-time", DOWNLOADING, .done = 1048576,
           .total = 268435456, HASHED),
    STATUS("response-upgrade-status-failed", FAILED, .done = 268435456, .total = 268435456, HASHED,
           .result = ERROR_HASH_MISMATCH,
           .detail = TEXT("the downloaded image has another SHA-256 than asked for"), CHANGED),
    STATUS("response-upgrade-status-idle", IDLE),
    STATUS("response-upgrade-status-upgraded", UPGRADED, .done = 268435456, .total = 268435456,
           HASHED, CHANGED),
    {ROW("welcome-1.0", WELCOME, 1, 0, 0), .welcome = {.version = {1, 0},
                                                       .agent = TEXT("vsock_host/1.0.0"),
                                                       .has_request_limit = true,
                                                       .request_limit = 16384}},
    {ROW("welcome-1.0-plain", WELCOME, 1, 0, 0), .welcome = {.version = {1, 0}}},
};
const size_t golden_messages_count = sizeof golden_messages / sizeof golden_messages[0];
