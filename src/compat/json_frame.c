/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/json_frame.h"

enum state { STATE_BEFORE, STATE_PLAIN, STATE_STRING, STATE_ESCAPE };

/* What follows the opening quote of the key. */
static const char cid_key[] = "sender_cid\"";

/* Values of scan->key; from KEY_OPENED up to KEY_READ it counts the bytes of cid_key. */
enum {
    KEY_NONE,
    KEY_OPENED,
    KEY_READ = KEY_OPENED + sizeof(cid_key) - 1,
    KEY_COLON,
    KEY_IS_TEXT, /* stays */
};

bool json_frame_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

bool json_frame_cid_is_text(const struct framing_scan *scan)
{
    return scan->key == KEY_IS_TEXT;
}

/* Outside strings. */
static uint8_t key_after_plain(const struct framing_scan *scan, uint8_t byte)
{
    if (scan->key == KEY_IS_TEXT || json_frame_is_blank(byte)) {
        return scan->key;
    }
    if (scan->key == KEY_READ && byte == ':') {
        return KEY_COLON;
    }
    if (byte == '"' && scan->key == KEY_COLON) {
        return KEY_IS_TEXT;
    }
    return byte == '"' && scan->depth == 1 ? KEY_OPENED : KEY_NONE;
}

/* Inside strings. */
static uint8_t key_after_character(const struct framing_scan *scan, uint8_t byte)
{
    if (scan->key < KEY_OPENED || scan->key >= KEY_READ) {
        return scan->key;
    }
    return byte == (uint8_t)cid_key[scan->key - KEY_OPENED] ? scan->key + 1 : KEY_NONE;
}

static void take_plain(struct framing_scan *scan, uint8_t byte)
{
    scan->key = key_after_plain(scan, byte);
    if (byte == '"') {
        scan->state = STATE_STRING;
    } else if (byte == '{' || byte == '[') {
        scan->depth++;
    } else if (byte == '}' || byte == ']') {
        scan->depth--;
    }
}

static void take_character(struct framing_scan *scan, uint8_t byte)
{
    scan->key = key_after_character(scan, byte);
    if (byte == '\\') {
        scan->state = STATE_ESCAPE;
    } else if (byte == '"') {
        scan->state = STATE_PLAIN;
    }
}

static void take(struct framing_scan *scan, uint8_t byte)
{
    switch ((enum state)scan->state) {
    case STATE_PLAIN:
        take_plain(scan, byte);
        break;
    case STATE_STRING:
        take_character(scan, byte);
        break;
    case STATE_ESCAPE:
        scan->state = STATE_STRING;
        break;
    case STATE_BEFORE:
        if (byte == '{') {
            scan->state = STATE_PLAIN;
            scan->depth = 1;
        }
        break;
    }
}

enum json_frame json_frame(struct framing_scan *scan, const uint8_t *bytes, size_t length,
                           size_t *end)
{
    while (scan->seen < length) {
        uint8_t byte = bytes[scan->seen];
        if (scan->state == STATE_BEFORE && byte != '{' && !json_frame_is_blank(byte)) {
            return JSON_FRAME_FOREIGN;
        }
        scan->seen++;
        take(scan, byte);
        if (scan->depth > JSON_DEPTH_MAX) {
            return JSON_FRAME_DEEP;
        }
        if (scan->depth == 0 && scan->state == STATE_PLAIN) {
            *end = scan->seen;
            return JSON_FRAME_WHOLE;
        }
    }
    return JSON_FRAME_MORE;
}
