/* SPDX-License-Identifier: Apache-2.0 */
/* Captured bytes in words, of every dialect but wire 1.x, which tests/system looks at. */
#include "compat/dissect.h"
#include "support/golden.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 4096 };

struct words {
    char text[WORDS_MAX]; /* a line each */
};

static void take_line(void *context, const char *line)
{
    struct words *words = context;
    size_t length = strlen(words->text);
    snprintf(words->text + length, sizeof words->text - length, "%s\n", line);
}

struct sample {
    const char *bytes;
    size_t length;
    enum dissected dissected;
    size_t taken;
    const char *words;
};
#define SAMPLE(bytes, dissected, taken, words)            \
    {                                                     \
        bytes, sizeof(bytes) - 1, dissected, taken, words \
    }

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct sample samples[] = {
    SAMPLE("{\"sender_cid\":3,\"message\":\"attach-hsm\"}x", DISSECTED_SOUND, 39,
           "offset 7: json-1 request (guest to host), 39 bytes\n"
           "  sender_cid: 3\n"
           "  message: attach-hsm\n"),
    SAMPLE("{\"sender_cid\":\"4\",\"message\":\"upgrade[h\x1b " HASH "]\"}", DISSECTED_WRONG, 107,
           "offset 7: JSON object, 107 bytes\n"
           "  wrong: it has bytes that are no JSON\n"),
    SAMPLE("{\"sender_cid\":\"4\",\"message\":\"upgrade[h\\u001b " HASH "]\"}", DISSECTED_SOUND,
           112,
           "offset 7: json-0 request (guest to host), 112 bytes\n"
           "  sender_cid: 4\n"
           "  message: upgrade\n"
           "  url: \"h\\x1b\"\n"
           "  hash: " HASH "\n"),
    SAMPLE("{\"sender_cid\":3,\"message\":{\"notify\":{\"count\":2,\"message\":\"a\\nb\"}}}",
           DISSECTED_SOUND, 66,
           "offset 7: json-1 request (guest to host), 66 bytes\n"
           "  sender_cid: 3\n"
           "  message: notify\n"
           "  count: 2\n"
           "  text: \"a\\x0ab\"\n"),
    SAMPLE("{\"sender_cid\":3}", DISSECTED_WRONG, 16,
           "offset 7: json-1 request (guest to host), 16 bytes\n"
           "  wrong: the message is missing or not known; expected attach-hsm, detach-hsm, "
           "GetVsockProtocol, GetHostOSVersion, start-upgrade-guest-vm, upgrade or notify\n"),
    SAMPLE(" {\"Ok\":{\"HostOSVersion\":\"1\"}}", DISSECTED_SOUND, 29,
           "offset 7: json-1 answer (host to guest), 29 bytes\n"
           "  ok: HostOSVersion(1)\n"),
    SAMPLE("{\"Err\":\"busy: later\"}", DISSECTED_SOUND, 21,
           "offset 7: json-1 answer (host to guest), 21 bytes\n"
           "  error 7 (busy)\n"
           "  text: \"later\"\n"),
    SAMPLE("{\"message\": \"invalid request\", \"status\": \"error\"}", DISSECTED_SOUND, 49,
           "offset 7: json-0 answer (host to guest), 49 bytes\n"
           "  error 5 (invalid_argument)\n"
           "  text: \"invalid request\"\n"),
    SAMPLE("{}", DISSECTED_WRONG, 2,
           "offset 7: JSON object, 2 bytes\n"
           "  wrong: it is neither a request nor an answer\n"),
    SAMPLE("{]", DISSECTED_WRONG, 2,
           "offset 7: JSON object, 2 bytes\n"
           "  wrong: it has bytes that are no JSON\n"),
    SAMPLE(" \n\t", DISSECTED_SOUND, 3, ""),
    SAMPLE(" x", DISSECTED_LOST, 0,
           "offset 7: no JSON object, or one that is nested too deep, 2 bytes\n"),
    SAMPLE("{\"a\"", DISSECTED_LOST, 0,
           "offset 7: the bytes end inside a JSON object: only 4 are there\n"),
    SAMPLE("VSCK\x00\x09\x01\x00\x00\x04\x01\x00\x01\x03", DISSECTED_SOUND, 14,
           "offset 7: request (type 1, guest to host), version 0.9, payload 4 bytes\n"
           "  field 1 command (u8; 1 bytes): 3 (get-hostos-version)\n"),
    SAMPLE("VSCK\x00\x09\x01\x00\x00\x0f\x01\x00\x01\x05\x04\x00\x01m\x05\x00\x04\x00\x00\x00\x02",
           DISSECTED_SOUND, 25,
           "offset 7: request (type 1, guest to host), version 0.9, payload 15 bytes\n"
           "  field 1 command (u8; 1 bytes): 5 (notify)\n"
           "  field 4 message (UTF-8 without NUL; 1 bytes): \"m\"\n"
           "  field 5 count (u32; 4 bytes): 2\n"),
    SAMPLE("VSCK\x00\x09\x02\x00\x00\x04\x01\x00\x01v", DISSECTED_SOUND, 14,
           "offset 7: ok (type 2, host to guest), version 0.9, payload 4 bytes\n"
           "  field 1 text (UTF-8 without NUL; 1 bytes): \"v\"\n"),
    SAMPLE("VSCK\x00\x09\x03\x00\x00\x04\x02\x00\x01v", DISSECTED_WRONG, 14,
           "offset 7: error (type 3, host to guest), version 0.9, payload 4 bytes\n"
           "  field 2, not known, so refused (1 bytes): bytes 76\n"
           "  wrong: an answer has field 2; expected 1\n"),
    SAMPLE("VSCK\x00\x09\x01\x00\x00\x08\x01\x00\x01\x09\x02\x00\x01u", DISSECTED_WRONG, 18,
           "offset 7: request (type 1, guest to host), version 0.9, payload 8 bytes\n"
           "  field 1 command (u8; 1 bytes): 9 (not known)\n"
           "  field 2, not known, so refused (1 bytes): bytes 75\n"
           "  wrong: command 9; expected 1 to 5\n"),
    SAMPLE("VSCK\x00\x08\x07\x00\x00\x00", DISSECTED_WRONG, 10,
           "offset 7: frame (type 7, not known), version 0.8, payload 0 bytes\n"
           "  wrong: a frame's header says version 0.8; expected 0.9\n"),
    SAMPLE("VSCK\x00\x09\x01\x00\x00\x06\x01\x00\x01\x01", DISSECTED_LOST, 0,
           "offset 7: request (type 1, guest to host), version 0.9, payload 6 bytes\n"
           "  field 1 command (u8; 1 bytes): 1 (attach-hsm)\n"
           "offset 17: the bytes end inside a payload: only 4 are there\n"),
    SAMPLE("VSCK\x00\x09", DISSECTED_LOST, 0,
           "offset 7: the bytes end inside a header of 10: only 6 are there\n"),
    SAMPLE("VSCK", DISSECTED_LOST, 0,
           "offset 7: the bytes end inside a header of 16: only 4 are there\n"),
    SAMPLE("x", DISSECTED_LOST, 0, "offset 7: no frame of a dialect that is known: \"x\"\n"),
};

static enum dissected explain(const struct sample *sample, size_t length, bool eof,
                              struct words *words, size_t *taken)
{
    struct dissector dissector = {.line = take_line, .context = words};
    uint8_t *bytes = exact_copy(sample->bytes, length);
    words->text[0] = '\0';
    enum dissected dissected = dissect_frame(&dissector, 7, bytes, length, eof, taken);
    free(bytes);
    return dissected;
}

UNIT_TEST(test_samples, "samples")
{
    CHECK_EACH(i, samples, "%s", samples[i].bytes) {
        struct words words;
        size_t taken = 0;
        CHECK_EQUAL(explain(&samples[i], samples[i].length, true, &words, &taken),
                    samples[i].dissected);
        CHECK_STRING(words.text, samples[i].words);
        if (strcmp(words.text, samples[i].words) != 0) {
            fprintf(stderr, "%s", words.text);
        }
        if (samples[i].dissected != DISSECTED_LOST) {
            CHECK_EQUAL(taken, samples[i].taken);
        }
    }
}

/* While more may come, nothing is said about a part. */
UNIT_TEST(test_parts, "parts")
{
    CHECK_EACH(i, samples, "%s", samples[i].bytes) {
        size_t whole = samples[i].taken;
        for (size_t length = 1; length < whole; length++) {
            CHECK_ROW("length = %zu", length);
            struct words words;
            size_t taken = 0;
            CHECK_EQUAL(explain(&samples[i], length, false, &words, &taken), DISSECTED_MORE);
            CHECK_STRING(words.text, "");
        }
    }
}

UNIT_MAIN("compat dissect")
