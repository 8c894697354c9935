/* SPDX-License-Identifier: Apache-2.0 */
#include "peer_json.h"

#include <stdio.h>

/* A message without arguments; NULL: there is none. */
static const char *const json_1_message[PEER_COMMANDS] = {
    [PEER_ATTACH_HSM] = "attach-hsm",
    [PEER_DETACH_HSM] = "detach-hsm",
    [PEER_GET_HOSTOS_VERSION] = "GetHostOSVersion",
    [PEER_GET_VSOCK_VERSION] = "GetVsockProtocol",
    [PEER_START_UPGRADE_GUEST_VM] = "start-upgrade-guest-vm",
};

static void add_number(struct octets *out, uint32_t number)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%u", number);
    octets_add_text(out, digits);
}

/* The inside of a JSON string. */
static void add_escaped(struct octets *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            octets_add_text(out, "\\");
        }
        if (*text == '\n') {
            octets_add_text(out, "\\n");
        } else {
            octets_add(out, text, 1);
        }
    }
}

static void add_string(struct octets *out, const char *text)
{
    octets_add_text(out, "\"");
    add_escaped(out, text);
    octets_add_text(out, "\"");
}

bool peer_json_1_request(struct octets *out, uint32_t cid, const struct peer_request *request)
{
    const char *message = json_1_message[request->command];
    if (message == NULL && request->command != PEER_UPGRADE && request->command != PEER_NOTIFY) {
        return false;
    }
    octets_add_text(out, "{\"sender_cid\":");
    add_number(out, cid);
    octets_add_text(out, ",\"message\":");
    if (message != NULL) {
        add_string(out, message);
    } else if (request->command == PEER_UPGRADE) {
        octets_add_text(out, "{\"upgrade\":{\"url\":");
        add_string(out, request->url);
        octets_add_text(out, ",\"target-hash\":");
        add_string(out, request->hash);
        octets_add_text(out, "}}");
    } else {
        octets_add_text(out, "{\"notify\":{\"count\":");
        add_number(out, request->count);
        octets_add_text(out, ",\"message\":");
        add_string(out, request->message);
        octets_add_text(out, "}}");
    }
    octets_add_text(out, "}");
    return true;
}

static bool add_json_0_message(struct octets *out, const struct peer_request *request)
{
    if (request->command == PEER_ATTACH_HSM || request->command == PEER_DETACH_HSM) {
        octets_add_text(out, json_1_message[request->command]);
    } else if (request->command == PEER_UPGRADE) {
        octets_add_text(out, "upgrade[");
        add_escaped(out, request->url);
        octets_add_text(out, " ");
        add_escaped(out, request->hash);
        octets_add_text(out, "]");
    } else if (request->command == PEER_NOTIFY) {
        octets_add_text(out, "notify[");
        add_number(out, request->count);
        octets_add_text(out, ", ");
        add_escaped(out, request->message);
        octets_add_text(out, "]");
    } else {
        return false;
    }
    return true;
}

bool peer_json_0_request(struct octets *out, uint32_t cid, const struct peer_request *request)
{
    octets_add_text(out, "{\"sender_cid\":\"");
    add_number(out, cid);
    octets_add_text(out, "\",\"message\":\"");
    bool carried = add_json_0_message(out, request);
    octets_add_text(out, "\"}");
    return carried;
}

void peer_json_1_ok(struct octets *out, enum peer_command command)
{
    if (command == PEER_GET_HOSTOS_VERSION) {
        octets_add_text(out, "{\"Ok\":{\"HostOSVersion\":\"1.2.3\"}}");
    } else if (command == PEER_GET_VSOCK_VERSION) {
        octets_add_text(out,
                        "{\"Ok\":{\"HostOSVsockVersion\":{\"major\":1,\"minor\":0,\"patch\":0}}}");
    } else {
        octets_add_text(out, "{\"Ok\":\"NoPayload\"}");
    }
}

void peer_json_1_error(struct octets *out, const char *text)
{
    octets_add_text(out, "{\"Err\":");
    add_string(out, text);
    octets_add_text(out, "}");
}

/* The length of the character that begins with this byte, and the lowest number it may stand for;
 * 0: none begins so. */
static size_t character_length(uint8_t first, uint32_t *ret_lowest)
{
    static const struct {
        uint8_t mask, lead;
        size_t length;
        uint32_t lowest;
    } forms[] = {{0x80, 0x00, 1, 0},
                 {0xe0, 0xc0, 2, 0x80},
                 {0xf0, 0xe0, 3, 0x800},
                 {0xf8, 0xf0, 4, 0x10000}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if ((first & forms[i].mask) == forms[i].lead) {
            *ret_lowest = forms[i].lowest;
            return forms[i].length;
        }
    }
    return 0;
}

bool peer_json_is_utf_8(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint32_t lowest = 0;
        size_t size = character_length(bytes[at], &lowest);
        if (size == 0 || size > length - at) {
            return false;
        }
        uint32_t number = size == 1 ? bytes[at] : bytes[at] & (0x7fU >> size);
        for (size_t i = 1; i < size; i++) {
            if ((bytes[at + i] & 0xc0) != 0x80) {
                return false;
            }
            number = number << 6 | (bytes[at + i] & 0x3fU);
        }
        if (number < lowest || number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff)) {
            return false;
        }
        at += size;
    }
    return true;
}
