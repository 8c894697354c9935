/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/explain_json.h"

#include "compat/json_0.h"
#include "compat/json_1.h"
#include "compat/json_frame.h"
#include "compat/json_guest.h"
#include "compat/json_host.h"
#include "wire/escape.h"
#include "wire/hex.h"
#include "wire/payload_text.h"

#include <inttypes.h>

enum { VALUE_MAX = 512 };

bool explain_json_claims(const uint8_t *bytes, size_t length)
{
    (void)length; /* at least 1 */
    return bytes[0] == '{' || json_frame_is_blank(bytes[0]);
}

static void say_text(const struct explainer *explainer, const char *name, struct text text)
{
    char shown[VALUE_MAX];
    size_t needed = escape_text(text, ESCAPE_LINE, shown, sizeof(shown));
    explain_say(explainer, "  %s: \"%s\"%s", name, shown, needed >= sizeof(shown) ? "..." : "");
}

static void say_head(const struct explainer *explainer, uint64_t offset, const char *what,
                     size_t length)
{
    explain_say(explainer, "offset %" PRIu64 ": %s, %zu bytes", offset, what, length);
}

static enum explained say_wrong(const struct explainer *explainer, const char *text)
{
    explain_say(explainer, "  wrong: %s", text);
    return EXPLAINED_WRONG;
}

static enum explained explain_request(const struct explainer *explainer, uint64_t offset,
                                      const uint8_t *bytes, size_t length)
{
    uint8_t texts[GUEST_ANSWER_MAX]; /* as long as any capture's window */
    char digits[SHA256_HEX + 1];
    struct json_request read;
    struct refusal refusal;
    int error = json_host_read(bytes, length, texts, &read, &refusal);
    const struct request *request = &read.request;
    say_head(explainer, offset,
             read.older ? "json-0 request (guest to host)" : "json-1 request (guest to host)",
             length);
    if (error < 0) {
        return say_wrong(explainer, refusal.text);
    }
    explain_say(explainer, "  sender_cid: %u", read.cid);
    explain_say(explainer, "  message: %s", command_name(request->command));
    if (request->command == COMMAND_UPGRADE) {
        sha256_format(request->sha256, digits);
        say_text(explainer, "url", request->url);
        explain_say(explainer, "  hash: %s", digits);
    } else if (request->command == COMMAND_NOTIFY) {
        explain_say(explainer, "  count: %u", request->count);
        say_text(explainer, "text", request->message);
    }
    return EXPLAINED_SOUND;
}

static void say_answer(const struct explainer *explainer, const struct answer *answer)
{
    char line[VALUE_MAX];
    if (answer->type == ANSWER_ERROR) {
        explain_say(explainer, "  error %u (%s)", answer->code, error_name(answer->code));
        say_text(explainer, "text", answer->message);
    } else {
        (void)payload_text(answer, line, sizeof(line)); /* cut: it is a line */
        explain_say(explainer, "  ok: %s", line);
    }
}

static enum explained explain_answer(const struct explainer *explainer, uint64_t offset,
                                     const struct json *value, size_t length)
{
    struct answer answer;
    struct refusal refusal;
    if (json_0_read_answer(value, &answer, &refusal) == 0) {
        say_head(explainer, offset, "json-0 answer (host to guest)", length);
    } else if (json_1_read_answer(value, &answer, &refusal) == 0) {
        say_head(explainer, offset, "json-1 answer (host to guest)", length);
    } else {
        say_head(explainer, offset, "JSON object", length);
        return say_wrong(explainer, "it is neither a request nor an answer");
    }
    say_answer(explainer, &answer);
    return EXPLAINED_SOUND;
}

static enum explained explain_object(const struct explainer *explainer, uint64_t offset,
                                     const uint8_t *bytes, size_t length)
{
    struct json *value = NULL;
    const char *why = "";
    if (json_parse(bytes, length, &value, &why) < 0) {
        say_head(explainer, offset, "JSON object", length);
        explain_say(explainer, "  wrong: it has %s", why);
        return EXPLAINED_WRONG;
    }
    enum explained explained = json_member(value, "sender_cid") != NULL
                                   ? explain_request(explainer, offset, bytes, length)
                                   : explain_answer(explainer, offset, value, length);
    (void)json_free(value);
    return explained;
}

enum explained explain_json(const struct explainer *explainer, uint64_t offset,
                            const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    struct framing_scan scan = {0};
    switch (json_frame(&scan, bytes, length, taken)) {
    case JSON_FRAME_WHOLE:
        return explain_object(explainer, offset, bytes, *taken);
    case JSON_FRAME_MORE:
        break;
    case JSON_FRAME_FOREIGN:
    case JSON_FRAME_DEEP:
        say_head(explainer, offset, "no JSON object, or one that is nested too deep", length);
        return EXPLAINED_LOST;
    }
    if (eof && scan.depth == 0) {
        *taken = length; /* white space at the end */
        return EXPLAINED_SOUND;
    }
    return eof ? explain_cut(explainer, offset, length, "JSON object") : EXPLAINED_MORE;
}
