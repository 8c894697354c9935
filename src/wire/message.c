/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/message.h"

/* The names of docs/protocol.md; every index is the number on the wire. */
static const struct {
    const char *name;
    bool query;
    enum payload_kind answer;
} commands[COMMAND_LAST + 1] = {
    [COMMAND_ATTACH_HSM] = {"attach-hsm", false, PAYLOAD_NONE},
    [COMMAND_DETACH_HSM] = {"detach-hsm", false, PAYLOAD_NONE},
    [COMMAND_GET_HOSTOS_VERSION] = {"get-hostos-version", true, PAYLOAD_HOSTOS_VERSION},
    [COMMAND_UPGRADE] = {"upgrade", false, PAYLOAD_NONE},
    [COMMAND_NOTIFY] = {"notify", false, PAYLOAD_NONE},
    [COMMAND_GET_VSOCK_VERSION] = {"get-vsock-version", true, PAYLOAD_HOSTOS_VSOCK_VERSION},
    [COMMAND_GET_UPGRADE_STATUS] = {"get-upgrade-status", true, PAYLOAD_UPGRADE_STATUS},
    [COMMAND_START_UPGRADE_GUEST_VM] = {"start-upgrade-guest-vm", false, PAYLOAD_NONE},
};

static const char *const phases[PHASE_LAST + 1] = {
    [PHASE_IDLE] = "idle",
    [PHASE_QUEUED] = "queued",
    [PHASE_DOWNLOADING] = "downloading",
    [PHASE_VERIFYING] = "verifying",
    [PHASE_INSTALLING] = "installing",
    [PHASE_REBOOTING] = "rebooting",
    [PHASE_FAILED] = "failed",
    [PHASE_UPGRADED] = "upgraded",
};

static const char *const errors[ERROR_LAST + 1] = {
    [ERROR_NONE] = "ok",
    [ERROR_MALFORMED] = "malformed",
    [ERROR_UNSUPPORTED_VERSION] = "unsupported_version",
    [ERROR_UNKNOWN_COMMAND] = "unknown_command",
    [ERROR_UNSUPPORTED_FIELD] = "unsupported_field",
    [ERROR_INVALID_ARGUMENT] = "invalid_argument",
    [ERROR_FORBIDDEN] = "forbidden",
    [ERROR_BUSY] = "busy",
    [ERROR_TOO_LARGE] = "too_large",
    [ERROR_TIMEOUT] = "timeout",
    [ERROR_UNAVAILABLE] = "unavailable",
    [ERROR_DOWNLOAD_FAILED] = "download_failed",
    [ERROR_HASH_MISMATCH] = "hash_mismatch",
    [ERROR_INSTALL_FAILED] = "install_failed",
    [ERROR_REBOOT_FAILED] = "reboot_failed",
    [ERROR_NO_SPACE] = "no_space",
    [ERROR_SHUTTING_DOWN] = "shutting_down",
    [ERROR_INTERNAL] = "internal",
    [ERROR_NOT_READY] = "not_ready",
};

static const char *const payloads[PAYLOAD_LAST + 1] = {
    [PAYLOAD_NONE] = "NoPayload",
    [PAYLOAD_HOSTOS_VSOCK_VERSION] = "HostOSVsockVersion",
    [PAYLOAD_HOSTOS_VERSION] = "HostOSVersion",
    [PAYLOAD_UPGRADE_STATUS] = "UpgradeStatus",
};

const char *command_name(unsigned command)
{
    return command <= COMMAND_LAST ? commands[command].name : NULL;
}

const char *phase_name(unsigned phase)
{
    return phase <= PHASE_LAST ? phases[phase] : NULL;
}

const char *error_name(unsigned code)
{
    return code <= ERROR_LAST ? errors[code] : NULL;
}

const char *payload_name(unsigned kind)
{
    return kind <= PAYLOAD_LAST ? payloads[kind] : NULL;
}

enum command command_find(const char *name)
{
    for (unsigned i = COMMAND_NONE + 1; i <= COMMAND_LAST; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return (enum command)i;
        }
    }
    return COMMAND_NONE;
}

bool command_is_query(enum command command)
{
    return (unsigned)command <= COMMAND_LAST && commands[command].query;
}

enum payload_kind command_answer(enum command command)
{
    return (unsigned)command <= COMMAND_LAST ? commands[command].answer : PAYLOAD_NONE;
}
